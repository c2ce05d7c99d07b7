import type { Logger } from 'pino'
import type { Config } from '../config.ts'

type Ending = {
  readonly config: Pick<Config, 'shutdownTimeoutMs' | 'shutdownDelayMs'>
  readonly logger: Logger
  readonly stop: () => Promise<void>
}

/** For what is still to be closed once no request runs any more. */
const closingTimeMs = 5000

// Ctrl-C arrives twice, from the terminal and passed on by npm: that is asking once.
const echoMs = 1000

/** SIGTERM and SIGINT end the process as soon as what runs is done. */
export const endOnSignal = ({ config, logger, stop }: Ending): void => {
  let askedAt: number | undefined
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (askedAt !== undefined) {
      // Whoever asks twice does not want to wait.
      if (performance.now() - askedAt > echoMs) process.exit(1)
      return
    }
    askedAt = performance.now()
    logger.info({ signal }, 'stopping')
    exitInTime(config)
    await stop()
    logger.info('stopped')
    process.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, end)
}

/** The longest time that an end may take, in milliseconds. */
export const longestEndMs = (
  { shutdownTimeoutMs, shutdownDelayMs }: Ending['config'],
  delayMs = shutdownDelayMs,
): number => delayMs + shutdownTimeoutMs + closingTimeMs

/** Time in which clients of a worker that is replaced hear of it, with their next answer. */
export const leavingMs = ({ shutdownDelayMs }: Ending['config']): number =>
  Math.max(shutdownDelayMs, 1000)

/** Whatever does not close ends with the process. */
export const exitInTime = (config: Ending['config'], delayMs?: number): void => {
  setTimeout(() => process.exit(1), longestEndMs(config, delayMs)).unref()
}

/** A dependency that fails never gets here; what does is a mistake of the program. */
export const endOnBug = ({ config, logger, stop }: Ending): void => {
  const end = async (error: unknown): Promise<void> => {
    logger.fatal({ err: error }, 'ending after an unexpected error')
    exitInTime(config)
    await stop().catch(() => {})
    process.exit(1)
  }
  process.once('uncaughtException', end)
  process.once('unhandledRejection', end)
}

/** Nothing is answered any more by an embedded database that cannot go on; a new start may. */
export const endOnPanic = (
  { config, logger, stop }: Ending,
  panic: Promise<Error> | undefined,
): void => {
  void panic?.then(async (error) => {
    logger.fatal({ err: error }, 'the embedded database cannot go on: see to its disk, start again')
    exitInTime(config)
    await stop().catch(() => {})
    process.exit(1)
  })
}
