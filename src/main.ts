import { readFileSync } from 'node:fs'
import type { Logger } from 'pino'
import { type Config, loadConfig } from './config.ts'
import { banner, localUrl } from './main/banner.ts'
import { withFreePort } from './main/free-port.ts'
import { type Service, startService } from './main/service.ts'
import { describeStartFailure } from './main/start-failure.ts'
import { basePathOf } from './plugins/base-path.ts'
import { createLogger } from './plugins/logger.ts'

/** The process: reads the environment, starts the service, ends it on a signal. */
const main = async (): Promise<void> => {
  const variables = await withFreePort(process.env)
  const config = loadConfig(variables, (path) => readFileSync(path, 'utf8'))
  const logger = createLogger(config.logLevel)
  const service = await startService(config, logger)
  endOnSignal(service, config, logger)
  endOnBug(service, config, logger)
  if (!config.production) greet(config, service)
}

const greet = (config: Config, { address }: Service): void => {
  process.stdout.write(banner(config, localUrl(address, basePathOf(config.issuer))))
}

/** For what is still to be closed once no request runs any more. */
const closingTimeMs = 5000

// Ctrl-C arrives twice, from the terminal and passed on by npm: that is asking once.
const echoMs = 1000

const endOnSignal = (service: Service, config: Config, logger: Logger): void => {
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
    await service.stop()
    logger.info('stopped')
    process.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, end)
}

/** Whatever does not close ends with the process. */
const exitInTime = ({ shutdownTimeoutMs }: Config): void => {
  setTimeout(() => process.exit(1), shutdownTimeoutMs + closingTimeMs).unref()
}

// A dependency that fails never gets here; what does is a mistake of the program.
const endOnBug = (service: Service, config: Config, logger: Logger): void => {
  const end = async (error: unknown): Promise<void> => {
    logger.fatal({ err: error }, 'ending after an unexpected error')
    exitInTime(config)
    await service.stop().catch(() => {})
    process.exit(1)
  }
  process.once('uncaughtException', end)
  process.once('unhandledRejection', end)
}

const reportFailure = (error: unknown): void => {
  const reasons = describeStartFailure(error)
  if (reasons === undefined) createLogger('fatal').fatal({ err: error }, 'the service cannot start')
  const lines = (reasons ?? ['Something unexpected went wrong: see the line of the log']).map(
    (reason) => `  - ${reason}\n`,
  )
  process.stderr.write(`Tessera cannot start:\n${lines.join('')}`)
  process.exit(1)
}

await main().catch(reportFailure)
