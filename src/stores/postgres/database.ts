import type { PGlite } from '@electric-sql/pglite'
import {
  Kysely,
  PGliteDialect,
  PostgresDialect,
  type RawBuilder,
  sql,
  type Transaction,
} from 'kysely'
import type { Pool } from 'pg'
import { isRepeatable } from './failure.ts'
import { openPool, type PoolOptions } from './pool.ts'
import type { Database } from './schema.ts'

export type Tx = Transaction<Database>
/** A place to run a statement: the database, or a transaction on it. */
export type Executor = Kysely<Database> | Tx

/**
 * Connects to PostgreSQL, directly or through a transaction-mode pooler.
 * @param onIdleError told when an idle connection breaks; the pool replaces it by itself.
 * @throws {Unavailable} when the server does not answer.
 */
export const connectPostgres = async (
  url: string,
  options: PoolOptions,
  onIdleError: (error: Error) => void,
): Promise<Kysely<Database>> => onPool(await openPool(url, options, onIdleError))

/** The database behind a pool, which ends with it. */
export const onPool = (pool: Pool): Kysely<Database> =>
  new Kysely<Database>({ dialect: new PostgresDialect({ pool }) })

/** Wraps the embedded Postgres. Inside a transaction only its `trx` may be used: it has one connection. */
export const wrapPGlite = (pglite: PGlite): Kysely<Database> =>
  new Kysely<Database>({ dialect: new PGliteDialect({ pglite }) })

/** Seconds by which the database's time is moved; 0 but in tests. */
export type TimeOffset = () => number

/** What every SQL store is made of: where to run statements, and the database's present moment. */
export type Connection = {
  readonly db: Kysely<Database>
  /** @param place in a statement that is compiled once, for what may change from run to run */
  readonly now: (place?: (read: () => unknown) => RawBuilder<unknown>) => RawBuilder<Date>
}

export const createConnection = (db: Kysely<Database>, offset?: TimeOffset): Connection => ({
  db,
  now: (place) =>
    offset
      ? sql<Date>`(now() + make_interval(secs => ${place ? place(offset) : offset()}::float8))`
      : sql<Date>`now()`,
})

/** Runs `act` in one READ COMMITTED transaction; deadlocks and serialization failures repeat it, twice. */
export const inTransaction = async <T>(
  db: Kysely<Database>,
  act: (trx: Tx) => Promise<T>,
): Promise<T> => {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await db.transaction().setIsolationLevel('read committed').execute(act)
    } catch (error) {
      if (attempt >= 2 || !isRepeatable(error)) throw error
    }
  }
}
