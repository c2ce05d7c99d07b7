import { Unavailable } from '../../oauth/unavailable.ts'

const ownFault = /^(0A|22|23|42|P0)/
const lostConnection =
  /^(08|57P)|^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/
// A statement that was prepared before a column of its answer got another type.
const outdatedStatement = /^cached plan must not change result type/
const networkFailure = /^E[A-Z_]+$/
const driverFailure =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed|PGlite is closed)/

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

/**
 * An error of the driver as the rest of the service knows it: what the statement itself did wrong
 * stays as it is, everything else (down, slow, read-only, out of connections, deadlock) is
 * `Unavailable`, so that a caller gets 503, never 500.
 */
export const translateFailure = (error: unknown): unknown => {
  const code = codeOf(error)
  const isSqlState = /^[0-9A-Z]{5}$/.test(code) && !networkFailure.test(code)
  const unavailable = isSqlState
    ? !ownFault.test(code) || hasMessage(error, outdatedStatement)
    : networkFailure.test(code) || (error instanceof Error && driverFailure.test(error.message))
  return unavailable ? new Unavailable('the database does not answer', { cause: error }) : error
}

/** The connection broke, so whether the statement took effect is not known. */
export const isLostConnection = (error: unknown): boolean =>
  error instanceof Unavailable &&
  (lostConnection.test(codeOf(error.cause)) || hasMessage(error.cause, lostMessage))

/** Nothing more comes of the connection: it broke, or a statement on it was never answered. */
export const endsConnection = (error: unknown): boolean =>
  isLostConnection(error) ||
  (error instanceof Unavailable && hasMessage(error.cause, /^Query read timeout/))

/** What is prepared on the connection no longer fits the tables: a migration has changed them. */
export const isOutdated = (error: unknown): boolean =>
  error instanceof Unavailable && hasMessage(error.cause, outdatedStatement)

const lostMessage = /^(Connection terminated|Client has encountered a connection error)/

const hasMessage = (error: unknown, pattern: RegExp): boolean =>
  error instanceof Error && pattern.test(error.message)

/**
 * The same transaction may be repeated: serialization failure or deadlock (SQLSTATE 40001, 40P01),
 * or tables that a migration has changed beneath it.
 */
export const isRepeatable = (error: unknown): boolean =>
  isOutdated(error) || (error instanceof Unavailable && /^(40001|40P01)$/.test(codeOf(error.cause)))

/** @returns the violated constraint's name when a unique rule refused a row (SQLSTATE 23505). */
export const violatedUnique = (error: unknown): string | undefined =>
  codeOf(error) === '23505' ? (error as { constraint?: string }).constraint : undefined
