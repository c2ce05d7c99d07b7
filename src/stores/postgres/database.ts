import type { PGlite } from '@electric-sql/pglite'
import {
  Kysely,
  PGliteDialect,
  PostgresDialect,
  type RawBuilder,
  sql,
  type Transaction,
} from 'kysely'
import pg from 'pg'
import { endsConnection, isRepeatable, translateFailure } from './failure.ts'
import type { Database } from './schema.ts'

export type Tx = Transaction<Database>
/** A place to run a statement: the database, or a transaction on it. */
export type Executor = Kysely<Database> | Tx

/** How the pool behaves; milliseconds throughout. */
export type PoolOptions = {
  readonly size: number
  readonly connectTimeoutMs: number
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
}

class TranslatingClient extends pg.Client {
  // biome-ignore lint/suspicious/noExplicitAny: every overload of pg's query passes through unread
  override query(...parameters: any[]): any {
    const result = (super.query as (...all: unknown[]) => unknown).apply(this, parameters)
    if (!(result instanceof Promise)) return result
    return result.catch((error: unknown) => {
      const failure = translateFailure(error)
      // Else the pool would hand it out again, and every query on it would fail like this one.
      if (endsConnection(failure)) void this.end()
      throw failure
    })
  }
}

class TranslatingPool extends pg.Pool {
  // biome-ignore lint/suspicious/noExplicitAny: pg's own pool.query uses the callback form
  override connect(...parameters: any[]): any {
    const result = (super.connect as (...all: unknown[]) => unknown).apply(this, parameters)
    if (!(result instanceof Promise)) return result
    return result.catch((error: unknown) => {
      throw translateFailure(error)
    })
  }
}

// A transaction-mode pooler refuses these as start-up parameters ("unsupported startup
// parameter"); there they are set on the role, and only pg's own query_timeout acts from here.
const serverSideSettings = (options: PoolOptions) => ({
  statement_timeout: options.statementTimeoutMs,
  lock_timeout: options.lockTimeoutMs,
  idle_in_transaction_session_timeout: 5000,
  options: '-c default_transaction_isolation=read\\ committed',
})

const createPool = (url: string, options: PoolOptions, throughPooler: boolean): pg.Pool =>
  new TranslatingPool({
    Client: TranslatingClient,
    connectionString: url,
    max: options.size,
    connectionTimeoutMillis: options.connectTimeoutMs,
    query_timeout: options.statementTimeoutMs + 1000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: 'tessera',
    types: { getTypeParser },
    ...(throughPooler ? {} : serverSideSettings(options)),
  } as pg.PoolConfig)

// int8 as number: versions, generations and counts stay far below 2^53.
const getTypeParser = ((oid: number, format?: 'text') =>
  oid === pg.types.builtins.INT8
    ? Number
    : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser

const refusesSettings = (error: unknown): boolean =>
  error instanceof Error &&
  /unsupported startup parameter/.test(
    error.cause instanceof Error ? error.cause.message : error.message,
  )

/**
 * Connects to PostgreSQL, directly or through a transaction-mode pooler.
 * @param onIdleError told when an idle connection breaks; the pool replaces it by itself.
 * @throws {Unavailable} when the server does not answer.
 */
export const connectPostgres = async (
  url: string,
  options: PoolOptions,
  onIdleError: (error: Error) => void,
): Promise<Kysely<Database>> => {
  const open = async (throughPooler: boolean): Promise<pg.Pool> => {
    const pool = createPool(url, options, throughPooler)
    pool.on('error', onIdleError)
    // The pool listens to idle connections only. One that breaks in use fails its query, which is
    // enough; without a listener of its own it would also end the process.
    pool.on('connect', (client) => client.on('error', () => {}))
    await pool.query('SELECT 1').catch(async (error: unknown) => {
      await pool.end()
      throw translateFailure(error)
    })
    return pool
  }
  const pool = await open(false).catch((error: unknown) => {
    if (refusesSettings(error)) return open(true)
    throw error
  })
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) })
}

/** Wraps the embedded Postgres. Inside a transaction only its `trx` may be used: it has one connection. */
export const wrapPGlite = (pglite: PGlite): Kysely<Database> =>
  new Kysely<Database>({ dialect: new PGliteDialect({ pglite }) })

/** Seconds by which the database's time is moved; 0 but in tests. */
export type TimeOffset = () => number

/** What every SQL store is made of: where to run statements, and the database's present moment. */
export type Connection = {
  readonly db: Kysely<Database>
  readonly now: () => RawBuilder<Date>
}

export const createConnection = (db: Kysely<Database>, offset?: TimeOffset): Connection => ({
  db,
  now: () =>
    offset ? sql<Date>`(now() + make_interval(secs => ${offset()}::float8))` : sql<Date>`now()`,
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
