import { type Kysely, sql } from 'kysely'
import { Client } from 'pg'
import type { Test } from 'tap'
import type { Database } from '../../src/stores/postgres/schema.ts'
import { createTestDatabase } from '../support/database.ts'
import { type FaultyProxy, startProxy } from '../support/proxy.ts'
import { connect, startService, type TestService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

/** A service whose way to its database can be broken, and the test's own way, which can't. */
export type FaultyDatabase = {
  readonly service: TestService
  readonly proxy: FaultyProxy
  readonly db: Kysely<Database>
  /** Past the proxy. */
  readonly databaseUrl: string
}

/** @param serverUrl the server that holds the database; the run's own by default */
export const startBehindProxy = async (
  t: Test,
  environment: Readonly<Record<string, string>> = {},
  serverUrl?: string,
): Promise<FaultyDatabase> => {
  const { url: databaseUrl } = await createTestDatabase(t, serverUrl)
  const proxy = await startProxy(t, databaseUrl)
  const service = await startService(t, { DATABASE_URL: proxy.url, ...environment })
  return { service, proxy, db: await connect(t, { databaseUrl }), databaseUrl }
}

/** Whether PostgreSQL answers with these bytes to the update of a rotation: one row was changed. */
export const isRotation = (reply: Buffer): boolean => reply.includes('UPDATE 1')

/** Whether it is a reading of the revocations, which every node asks for all the time. */
export const isReading = (reply: Buffer): boolean => reply.includes('lifted')

/** The row of the family as the database has it. */
export const familyRow = (db: Kysely<Database>, userId: string) =>
  db
    .selectFrom('refresh_families')
    .selectAll()
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()

/** The backend that waits for a row's lock; waits for one other than `former`. */
export const waitingBackend = (db: Kysely<Database>, former?: number): Promise<number> =>
  waitUntil('a statement to wait for the lock', async () => {
    const { rows } = await sql<{ pid: number }>`
      SELECT pid FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(db)
    return rows.map(({ pid }) => pid).find((pid) => pid !== former)
  })

/** A connection of the test with the rights of the database's owner. */
export const connectAsOwner = async (t: Test, connectionString: string): Promise<Client> => {
  const client = new Client({ connectionString })
  client.on('error', () => {})
  t.teardown(() => client.end())
  await client.connect()
  return client
}

/** Holds the lock of the user's families until the returned function is called, or the test ends. */
export const lockFamilies = async (
  t: Test,
  { databaseUrl }: Pick<FaultyDatabase, 'databaseUrl'>,
  userId: string,
): Promise<() => Promise<void>> => {
  const client = await connectAsOwner(t, databaseUrl)
  await client.query('BEGIN')
  await client.query('SELECT FROM refresh_families WHERE user_id = $1 FOR UPDATE', [userId])
  return () => client.end()
}
