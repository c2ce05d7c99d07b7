import { setTimeout as delay } from 'node:timers/promises'
import { Kysely, PostgresAdapter, PostgresDialect, sql, type Transaction } from 'kysely'
import pg from 'pg'
import type { Executor } from './database.ts'
import { translateFailure } from './failure.ts'
import type { Database } from './schema.ts'
import { SchemaError } from './schema-state.ts'

// "tessera" in ASCII. The same number on every node, or several would migrate at once.
const migrationLock = 0x74657373657261n
const connectTimeoutMs = 10_000
// Another node may be in the middle of a long migration: waiting for it is right.
const longestWaitForOthersMs = 300_000
// DDL that waits for a lock makes every later statement on that table wait behind it, and those of
// the service give up after DATABASE_LOCK_TIMEOUT_MS. So it gives up first, and comes again.
const longestWaitForTablesMs = 250
const defaultPatienceMs = 60_000
const longestPauseMs = 2000

/** A database's URL, or one that is open and that this process alone uses (the embedded mode). */
export type MigrationTarget = string | Kysely<Database>

// Kysely's own lock belongs to the session, so a transaction-mode pooler loses it; the lock of the
// transaction around the Migrator takes its place.
class LocklessAdapter extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
}

class MigrationDialect extends PostgresDialect {
  override createAdapter(): PostgresAdapter {
    return new LocklessAdapter()
  }
}

/** One connection without the service's time limits, for as long as `act` takes. */
const withDirectConnection = async <T>(
  url: string,
  act: (db: Kysely<Database>) => Promise<T>,
): Promise<T> => {
  const pool = new pg.Pool({
    connectionString: url,
    max: 1,
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: 'tessera-migrate',
  })
  // A connection that breaks fails the statement that runs; without listeners it would end the
  // process, idle or not.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  const db = new Kysely<Database>({ dialect: new MigrationDialect({ pool }) })
  try {
    return await act(db)
  } catch (error) {
    throw translateFailure(error)
  } finally {
    await db.destroy()
  }
}

/** Runs `act` on a target that is open; one that is a URL is opened for it. */
export const withTarget = <T>(
  target: MigrationTarget,
  act: (db: Kysely<Database>) => Promise<T>,
): Promise<T> => (typeof target === 'string' ? withDirectConnection(target, act) : act(target))

const setLockTimeout = (trx: Executor, milliseconds: number): Promise<unknown> =>
  sql`SELECT set_config('lock_timeout', ${String(milliseconds)}, true)`.execute(trx)

const takeMigrationLock = async (trx: Executor): Promise<void> => {
  const taking = sql`SELECT pg_advisory_xact_lock(${migrationLock.toString()}::bigint)`.execute(trx)
  await taking.catch((error: unknown) => {
    if ((error as { code?: unknown }).code !== '55P03') throw error
    throw new SchemaError(
      `Another process has been migrating the database for more than ${longestWaitForOthersMs / 1000} seconds: look at it, then try again`,
      { cause: error },
    )
  })
}

/** The tables were in use: nothing was changed, and a moment later it may succeed. */
class TablesInUse extends Error {}

const isInUse = (error: unknown): boolean => {
  const { code } = ((error instanceof SchemaError ? error.cause : error) ?? {}) as {
    code?: unknown
  }
  return code === '55P03' || code === '40P01'
}

const attempt = <T>(
  db: Kysely<Database>,
  act: (trx: Transaction<Database>) => Promise<T>,
): Promise<T> =>
  db
    .transaction()
    .setIsolationLevel('read committed')
    .execute(async (trx) => {
      await sql`SELECT set_config('statement_timeout', '0', true)`.execute(trx)
      await setLockTimeout(trx, longestWaitForOthersMs)
      await takeMigrationLock(trx)
      await setLockTimeout(trx, longestWaitForTablesMs)
      return act(trx).catch((cause: unknown) => {
        throw isInUse(cause) ? new TablesInUse('the tables are in use', { cause }) : cause
      })
    })

/**
 * Runs `act` in one transaction that only one node at a time is in. Where requests or a backup hold
 * the tables, it lets them pass and tries again as a whole.
 * @param patienceMs for how long it does so
 * @throws {SchemaError} when the tables are in use all that time
 */
export const exclusively = async <T>(
  db: Kysely<Database>,
  act: (trx: Transaction<Database>) => Promise<T>,
  patienceMs: number = defaultPatienceMs,
): Promise<T> => {
  const deadline = performance.now() + patienceMs
  for (let pauseMs = 100; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      return await attempt(db, act)
    } catch (error) {
      if (!(error instanceof TablesInUse)) throw error
      if (performance.now() > deadline) throw inUse(patienceMs, error.cause)
    }
    await delay(pauseMs)
  }
}

const inUse = (patienceMs: number, cause: unknown): SchemaError =>
  new SchemaError(
    `The tables have been in use for ${patienceMs / 1000} seconds: let long transactions end (see pg_stat_activity), then try again`,
    { cause },
  )
