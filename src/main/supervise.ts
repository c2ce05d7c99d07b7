import { availableParallelism } from 'node:os'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { createAggregation } from '../observability/aggregation.ts'
import { serveMetrics } from '../observability/metrics-server.ts'
import { greet } from './banner.ts'
import { endOnSignal } from './endings.ts'
import { findFreePort } from './free-port.ts'
import { createHerd, StartFailure } from './herd.ts'

type Variables = Readonly<Record<string, string | undefined>>

/**
 * Keeps as many workers on one port as are configured, and ends with them. SIGHUP replaces them, one
 * after the other, without a request failing.
 * @param variables the environment that the workers get.
 */
export const supervise = async (
  config: Config,
  logger: Logger,
  variables: Variables,
): Promise<void> => {
  const aggregation = createAggregation(() => herd.size())
  const environment = await environmentOfWorkers(config, variables)
  const herd = createHerd({ config, environment, logger, aggregation })
  endOnSignal({ config, logger, stop: herd.stop })
  process.on('SIGHUP', () => void herd.replaceAll())
  const address = await herd.start().catch(async (error: unknown) => {
    await herd.stop()
    // Whoever failed has said why.
    if (error instanceof StartFailure) process.exit(1)
    throw error
  })
  if (address === undefined) return
  if (config.metricsPort !== undefined) {
    aggregation.includeThisProcess()
    await serveMetrics({
      host: config.metricsHost,
      port: config.metricsPort,
      read: async () => {
        await herd.reportAll()
        return aggregation.text()
      },
    })
  }
  greet(config, address)
}

/** One port for all, found once; and the cores shared between the password hashers. */
const environmentOfWorkers = async (config: Config, variables: Variables): Promise<Variables> => {
  const port = config.port === 0 ? await findFreePort() : config.port
  const hashers = Math.max(1, Math.floor((availableParallelism() - 1) / config.workers))
  return {
    ...variables,
    PORT: String(port),
    PASSWORD_HASH_CONCURRENCY: String(config.passwordHashConcurrency || hashers),
  }
}
