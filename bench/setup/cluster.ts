import { Client, escapeIdentifier } from 'pg'
import { startPostgresServer } from '../../test/support/postgres-server.ts'
import { ownedByRun } from '../../test/support/run-folder.ts'

/** A PostgreSQL with its own default settings: every commit is on the disk before it is answered. */
export type Cluster = {
  readonly version: string
  createDatabase(name: string): Promise<string>
  /** A copy of a database that nobody is connected to. @returns its URL */
  copyDatabase(source: string, name: string): Promise<string>
}

export const startCluster = async (): Promise<Cluster> => {
  const server = await startPostgresServer(ownedByRun)
  const urlOf = (name: string): string =>
    Object.assign(new URL(server.url), { pathname: name }).href
  const create = async (name: string, more: string): Promise<string> => {
    await query(server.url, `CREATE DATABASE ${escapeIdentifier(name)} ${more}`)
    return urlOf(name)
  }
  return {
    version: server.version,
    createDatabase: (name) => create(name, ''),
    copyDatabase: (source, name) => create(name, `TEMPLATE ${escapeIdentifier(source)}`),
  }
}

/** Runs one statement on a connection of its own. */
export const query = async <Row extends object>(
  connectionString: string,
  statement: string,
  values: readonly unknown[] = [],
): Promise<Row[]> => {
  const client = new Client({ connectionString })
  await client.connect()
  try {
    return (await client.query<Row>(statement, [...values])).rows
  } finally {
    await client.end()
  }
}
