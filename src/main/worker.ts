import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { MetricsSnapshot } from '../observability/aggregation.ts'
import { isOurs, type Order } from './messages.ts'

/** How a process ended. */
export type WorkerExit = { readonly code: number | null; readonly signal: string | null }

/** A worker as the primary sees it. */
export type ManagedWorker = {
  readonly id: number
  readonly pid: number | undefined
  /** Where it listens; undefined when it ended instead. */
  readonly ready: Promise<AddressInfo | undefined>
  readonly exit: Promise<WorkerExit>
  isReady(): boolean
  /** Milliseconds since it was ready; 0 before. */
  servedMs(): number
  order(order: Order): void
  /** Its next report of metrics; settles as well when it ends, or has no time. */
  report(): Promise<void>
  kill(signal: NodeJS.Signals): void
}

type Environment = Readonly<Record<string, string | undefined>>

const longestReportMs = 2000

/** Starts a worker. @param onMetrics told of every report. */
export const startWorker = (
  environment: Environment,
  onMetrics: (id: number, metrics: MetricsSnapshot) => void,
): ManagedWorker => {
  const worker = cluster.fork(environment)
  let readyAt: number | undefined
  let nextReport = Promise.withResolvers<void>()
  const ready = Promise.withResolvers<AddressInfo | undefined>()
  worker.on('message', (message) => {
    if (!isOurs(message)) return
    if (message.tessera === 'ready') {
      readyAt = performance.now()
      ready.resolve(message.address)
    }
    if (message.tessera === 'metrics') {
      onMetrics(worker.id, message.metrics)
      nextReport.resolve()
      nextReport = Promise.withResolvers<void>()
    }
  })
  const exit = exitOf(worker).finally(() => {
    ready.resolve(undefined)
    nextReport.resolve()
  })
  const order = (given: Order): void => {
    // The error of a channel that closes at this moment is told by the exit.
    if (worker.isConnected()) worker.send(given, () => {})
  }
  return {
    id: worker.id,
    pid: worker.process.pid,
    ready: ready.promise,
    exit,
    isReady: () => readyAt !== undefined,
    servedMs: () => (readyAt === undefined ? 0 : performance.now() - readyAt),
    order,
    report: async () => {
      const report = nextReport.promise
      order({ tessera: 'report' })
      await withinTime(report)
    },
    kill: (signal) => void worker.process.kill(signal),
  }
}

const exitOf = async (worker: Worker): Promise<WorkerExit> => {
  const [code, signal] = (await once(worker, 'exit')) as [number | null, string | null]
  return { code, signal }
}

const withinTime = async (report: Promise<void>): Promise<void> => {
  const time = Promise.withResolvers<void>()
  const timer = setTimeout(time.resolve, longestReportMs)
  await Promise.race([report, time.promise])
  clearTimeout(timer)
}
