import cluster from 'node:cluster'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { snapshotOf } from '../observability/aggregation.ts'
import { greet } from './banner.ts'
import { endOnBug, endOnPanic, endOnSignal, exitInTime, leavingMs } from './endings.ts'
import { isOurs, type Report } from './messages.ts'
import { type Service, startService } from './service.ts'

/**
 * The service in this process, alone or as one of several on a port.
 * @throws what startService throws.
 */
export const serve = async (config: Config, logger: Logger): Promise<void> => {
  const service = await startService(config, logger)
  const parts = { config, logger, stop: service.stop }
  if (cluster.isWorker) return serveAsWorker(service, parts)
  endOnSignal(parts)
  endOnBug(parts)
  endOnPanic(parts, service.panic)
  greet(config, service.address)
}

type Parts = Parameters<typeof endOnSignal>[0]

const serveAsWorker = async (service: Service, parts: Parts): Promise<void> => {
  const stop = async (delayMs?: number): Promise<void> => {
    await service.stop(delayMs)
    await sendMetrics(service)
  }
  endOnSignal({ ...parts, stop })
  endOnBug({ ...parts, stop })
  process.on('message', (message) => {
    if (!isOurs(message)) return
    if (message.tessera === 'report') void sendMetrics(service)
    if (message.tessera === 'leave') void leave({ ...parts, stop })
  })
  await send({ tessera: 'ready', address: service.address })
}

const leave = async ({
  config,
  logger,
  stop,
}: Parts & { stop: Service['stop'] }): Promise<void> => {
  const delayMs = leavingMs(config)
  logger.info('leaving: another worker has taken this place')
  exitInTime(config, delayMs)
  await stop(delayMs)
  process.exit(0)
}

const sendMetrics = async ({ metrics }: Service): Promise<void> =>
  send({ tessera: 'metrics', metrics: await snapshotOf(metrics) })

/** Settles once the message is on its way; a primary that is gone is told nothing. */
const send = (report: Report): Promise<void> =>
  new Promise((resolve) => {
    if (process.connected) process.send?.(report, undefined, {}, () => resolve())
    else resolve()
  })
