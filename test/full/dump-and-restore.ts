import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Client } from 'pg'
import type { Test } from 'tap'
import { systemPostgres } from '../support/postgres-binaries.ts'
import { startPostgresServer } from '../support/postgres-server.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { systemTool } from '../support/system-tool.ts'

const run = async (program: string, args: readonly string[]): Promise<void> => {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${program} ended with ${code}`)
}

/** A server of the version that the machine's pg_dump and pg_restore are of. */
export const startWithTools = async (t: Test) => {
  await systemTool({ programs: ['pg_dump'], debianPackage: 'postgresql-15' })
  const binaries = systemPostgres()
  if (binaries === undefined) throw new Error('pg_dump stands here without its server')
  const server = await startPostgresServer(t, { binaries })
  return { server, tool: (name: string) => join(binaries.folder, name) }
}

const onServer = async (url: string, statements: readonly string[]): Promise<void> => {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

const nameOf = (url: string): string => new URL(url).pathname.slice(1)

const withName = (url: string, name: string): string => {
  const other = new URL(url)
  other.pathname = `/${name}`
  return other.href
}

type Tools = Awaited<ReturnType<typeof startWithTools>>

/** Dumps a database as the operations guide tells. @returns the dump's file */
export const dump = async ({ tool }: Tools, databaseUrl: string): Promise<string> => {
  const file = `${temporaryFolder('dump')}/tessera.dump`
  await run(tool('pg_dump'), ['--format=custom', `--file=${file}`, '-d', databaseUrl])
  return file
}

/** What the operations guide tells to do: beside the present database, then in its place. */
export const restore = async (
  { server, tool }: Tools,
  databaseUrl: string,
  file: string,
): Promise<void> => {
  const name = nameOf(databaseUrl)
  await onServer(server.url, [`CREATE DATABASE "${name}_new"`])
  const target = withName(databaseUrl, `${name}_new`)
  await run(tool('pg_restore'), ['--exit-on-error', '--no-owner', '-d', target, file])
  await onServer(server.url, [
    `ALTER DATABASE "${name}" ALLOW_CONNECTIONS false`,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`,
    `ALTER DATABASE "${name}" RENAME TO "${name}_old"`,
    `ALTER DATABASE "${name}_new" RENAME TO "${name}"`,
  ])
}
