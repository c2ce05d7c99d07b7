import cluster from 'node:cluster'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { buildApp } from '../app.ts'
import { type LocalSocket, serveLocalSocket } from '../cli/local-socket.ts'
import { performOperation } from '../cli/operations/perform.ts'
import { localSocketPath } from '../cli/socket-path.ts'
import type { Config } from '../config.ts'
import { createDeps, type Deps } from '../deps.ts'
import { type Metrics, observeProcess } from '../observability/metrics.ts'
import { type MetricsServer, serveMetrics } from '../observability/metrics-server.ts'
import { createFirstAdmin } from './first-admin.ts'

/** The service while it runs. */
export type Service = {
  /** Where it listens. */
  readonly address: AddressInfo
  readonly metrics: Metrics['registry']
  /** Settles when the embedded database cannot go on. */
  readonly panic: Deps['panic']
  /**
   * Tells balancers to stop, for `delayMs`; then takes nothing new, lets running requests end within
   * the time for that, and closes all it opened.
   * @param delayMs default: as configured.
   */
  stop(delayMs?: number): Promise<void>
}

type App = Awaited<ReturnType<typeof buildApp>>
type Closing = (delayMs?: number) => Promise<unknown>

/**
 * Opens what the configuration names, and listens.
 * @throws what createDeps throws, and the errors of listening; then nothing is left open.
 */
export const startService = async (config: Config, logger: Logger): Promise<Service> => {
  const deps = await createDeps(config, logger)
  // What was opened last is closed first.
  const closings: Closing[] = [deps.close]
  try {
    await deps.beginService()
    await createFirstAdmin(deps)
    const app = await buildApp(deps)
    closings.unshift((delayMs) => closeApp(app, deps, delayMs))
    const socket = await openLocalSocket(deps)
    closings.unshift(socket.close)
    const metrics = await openMetrics(deps)
    closings.push(metrics.close)
    await app.listen({ host: config.host, port: config.port })
    logger.info({ issuer: config.issuer, mode: deps.mode }, 'started')
    let stopped: Promise<void> | undefined
    return {
      address: app.server.address() as AddressInfo,
      metrics: deps.metrics.registry,
      panic: deps.panic,
      stop(delayMs) {
        stopped ??= closeAll(closings, delayMs)
        return stopped
      },
    }
  } catch (error) {
    await closeAll(closings)
    throw error
  }
}

/** Of several processes on one port only the primary has the port of the metrics, for all. */
const openMetrics = async ({ config, metrics }: Deps): Promise<Pick<MetricsServer, 'close'>> => {
  const { metricsPort: port, metricsHost: host } = config
  if (port === undefined) return nothingOpen
  observeProcess(metrics.registry)
  if (cluster.isWorker) return nothingOpen
  return serveMetrics({ host, port, read: () => metrics.registry.metrics() })
}

const nothingOpen = { close: async () => {} }

/** The embedded data have one owner, so the command line works through it. */
const openLocalSocket = async (deps: Deps): Promise<LocalSocket> =>
  deps.mode === 'embedded'
    ? serveLocalSocket(localSocketPath(deps.config.dataDir), (request) =>
        performOperation(deps, request),
      )
    : nothingOpen

const closeApp = async (
  app: App,
  { health, config, logger }: Deps,
  delayMs = config.shutdownDelayMs,
): Promise<void> => {
  health.drain()
  if (delayMs > 0) await delay(delayMs)
  const limit = setTimeout(() => {
    logger.warn('requests that still ran were cut off: SHUTDOWN_TIMEOUT_MS was over')
    app.server.closeAllConnections()
  }, config.shutdownTimeoutMs)
  await app.close().finally(() => clearTimeout(limit))
}

const closeAll = async (closings: readonly Closing[], delayMs?: number): Promise<void> => {
  for (const close of closings) await close(delayMs)
}
