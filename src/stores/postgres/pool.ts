import pg from 'pg'
import type { PoolUse } from '../../observability/gauges.ts'
import { endsConnection, isOutdated, translateFailure } from './failure.ts'
import { StatementNames } from './prepared-statements.ts'

/** How the pool behaves; milliseconds throughout. */
export type PoolOptions = {
  readonly size: number
  readonly connectTimeoutMs: number
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
}

type Query = (...all: unknown[]) => unknown

/** The driver's connection, whose failures are the service's and whose statements have names. */
const clientClass = (statementNames: StatementNames): typeof pg.Client =>
  class extends pg.Client {
    // biome-ignore lint/suspicious/noExplicitAny: every overload of pg's query passes through unread
    override query(...parameters: any[]): any {
      const query = (super.query as Query).bind(this)
      const named = nameStatement(parameters, statementNames)
      const result = query(...named)
      if (!(result instanceof Promise)) return result
      return result.catch(async (error: unknown) => {
        const failure = translateFailure(error)
        if (isOutdated(failure) && isNamed(named[0])) {
          statementNames.renew(named[0].text, named[0].name)
          // Nothing has run yet. Within a transaction, which is lost, this fails: that is repeated.
          const again = query(...nameStatement(parameters, statementNames)) as Promise<unknown>
          return again.catch(() => {
            throw failure
          })
        }
        // Else the pool would hand it out again, and every query on it would fail like this one.
        if (endsConnection(failure)) void this.end()
        throw failure
      })
    }
  }

type NamedStatement = { readonly name: string; readonly text: string; readonly values: unknown[] }

const isNamed = (statement: unknown): statement is NamedStatement =>
  typeof statement === 'object' && statement !== null && 'name' in statement

const nameStatement = (parameters: unknown[], statementNames: StatementNames): unknown[] => {
  const [text, values, ...more] = parameters
  if (typeof text !== 'string' || !Array.isArray(values) || values.length === 0) return parameters
  const name = statementNames.nameOf(text)
  return name === undefined
    ? parameters
    : [{ name, text, values } satisfies NamedStatement, ...more]
}

class Pool extends pg.Pool {
  // biome-ignore lint/suspicious/noExplicitAny: pg's own pool.query uses the callback form
  override connect(...parameters: any[]): any {
    const result = (super.connect as (...all: unknown[]) => unknown).apply(this, parameters)
    if (!(result instanceof Promise)) return result
    return result.catch((error: unknown) => {
      throw translateFailure(error)
    })
  }
}

/**
 * Connections to PostgreSQL, directly or through a transaction-mode pooler; one has answered.
 * @param onIdleError told when an idle connection breaks; the pool replaces it by itself.
 * @throws {Unavailable} when the server does not answer.
 */
export const openPool = async (
  url: string,
  options: PoolOptions,
  onIdleError: (error: Error) => void,
): Promise<pg.Pool> => {
  try {
    return await open(url, options, serverSideSettings(options), onIdleError)
  } catch (error) {
    if (refusesSettings(error)) return open(url, options, {}, onIdleError)
    throw error
  }
}

/** What the connections of a pool are doing. */
export const useOf = ({ totalCount, idleCount, waitingCount }: pg.Pool): PoolUse => ({
  used: totalCount - idleCount,
  idle: idleCount,
  waiting: waitingCount,
})

const open = async (
  url: string,
  options: PoolOptions,
  settings: object,
  onIdleError: (error: Error) => void,
): Promise<pg.Pool> => {
  const statementNames = new StatementNames()
  const pool = createPool(url, options, { ...settings, Client: clientClass(statementNames) })
  pool.on('error', onIdleError)
  // The pool listens to idle connections only. One that breaks in use fails its query, which is
  // enough; without a listener of its own it would also end the process.
  pool.on('connect', (client) => client.on('error', () => {}))
  try {
    if (await isDirect(pool)) statementNames.begin()
    return pool
  } catch (error) {
    await pool.end()
    throw translateFailure(error)
  }
}

const createPool = (url: string, options: PoolOptions, more: object): pg.Pool =>
  new Pool({
    connectionString: url,
    max: options.size,
    connectionTimeoutMillis: options.connectTimeoutMs,
    query_timeout: options.statementTimeoutMs + 1000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: 'tessera',
    types: { getTypeParser },
    ...more,
  } as pg.PoolConfig)

// A pooler gives its clients process ids of its own. Through one, the next statement may meet
// another connection of the server, on which nothing was prepared.
const isDirect = async (pool: pg.Pool): Promise<boolean> => {
  const client: pg.PoolClient & { processID?: number | null } = await pool.connect()
  try {
    const { rows } = await client.query<{ id: number }>('SELECT pg_backend_pid() AS id')
    return rows[0]?.id === client.processID
  } finally {
    client.release()
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

const refusesSettings = (error: unknown): boolean =>
  error instanceof Error &&
  /unsupported startup parameter/.test(
    error.cause instanceof Error ? error.cause.message : error.message,
  )

// int8 as number: versions, generations and counts stay far below 2^53.
const getTypeParser = ((oid: number, format?: 'text') =>
  oid === pg.types.builtins.INT8
    ? Number
    : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser
