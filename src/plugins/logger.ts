import { type DestinationStream, type Logger, pino } from 'pino'
import { maskSecrets } from './log-mask.ts'

// A write for every line would cost a request more than all the rest of its log; so lines wait
// for each other a moment, which a kill without warning may lose. An exit writes what waits.
const toStandardOutput = (): DestinationStream =>
  pino.destination({ sync: false, minLength: 8192, periodicFlush: 100 })

/**
 * The service's log: one JSON object a line, times in UTC.
 * @param destination default: standard output, written without holding up requests
 */
export const createLogger = (
  level: string,
  destination: DestinationStream = toStandardOutput(),
): Logger =>
  pino(
    {
      level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: maskSecrets },
      serializers: { err: describeError },
    },
    destination,
  )

// Drivers hang rows and parameters on their errors: only these members are safe to tell.
const describeError = (error: unknown): unknown =>
  error instanceof Error
    ? {
        type: error.name,
        message: error.message,
        code: 'code' in error ? error.code : undefined,
        stack: error.stack,
        cause: error.cause === undefined ? undefined : describeError(error.cause),
      }
    : { message: String(error) }
