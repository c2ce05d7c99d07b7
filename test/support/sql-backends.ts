import { PGlite } from '@electric-sql/pglite'
import { type Test, test } from 'tap'
import {
  type Connection,
  connectPostgres,
  createConnection,
  wrapPGlite,
} from '../../src/stores/postgres/database.ts'
import { openInMemory } from '../../src/stores/postgres/embedded.ts'
import { migrateToLatest } from '../../src/stores/postgres/migrator.ts'
import { createTestDatabase, serverTitle, systemDatabaseUrl } from './database.ts'

/** A migrated, empty database; its present moment can be moved. */
export type SqlBackend = Connection & { moveTime(seconds: number): void }

export const poolOptions = {
  size: 10,
  connectTimeoutMs: 5000,
  statementTimeoutMs: 5000,
  lockTimeoutMs: 1000,
}

const movable = (db: Connection['db']): SqlBackend => {
  let offset = 0
  return {
    ...createConnection(db, () => offset),
    moveTime(seconds) {
      offset += seconds
    },
  }
}

/** A real PostgreSQL with several connections: what races need. */
export const openPostgres = async (t: Test, serverUrl?: string): Promise<SqlBackend> => {
  const { url } = await createTestDatabase(t, serverUrl)
  const db = await connectPostgres(url, poolOptions, () => {})
  t.teardown(() => db.destroy())
  return movable(db)
}

const prepare = async (): Promise<Blob> => {
  const pglite = await PGlite.create()
  await migrateToLatest(wrapPGlite(pglite))
  const dump = await pglite.dumpDataDir('none')
  await pglite.close()
  return dump
}
// Made once for all tests of a file: opening a copy takes a tenth of the time of making one.
let prepared: Promise<Blob> | undefined

const openPGlite = async (t: Test): Promise<SqlBackend> => {
  prepared ??= prepare()
  const { db, close } = await openInMemory(await prepared)
  t.teardown(close)
  return movable(db)
}

/**
 * Runs a store's contract on every SQL backend: the embedded PGlite, the run's PostgreSQL and,
 * where the machine has one of its own, that.
 */
export const onEverySqlBackend = (
  title: string,
  contract: (t: Test, backend: SqlBackend) => Promise<unknown>,
): void => {
  const system = systemDatabaseUrl()
  test(`${title} (PGlite)`, async (t) => contract(t, await openPGlite(t)))
  test(`${title} (${serverTitle('main')})`, async (t) => contract(t, await openPostgres(t)))
  if (system !== undefined) {
    test(`${title} (${serverTitle('system')})`, async (t) =>
      contract(t, await openPostgres(t, system)))
  }
}
