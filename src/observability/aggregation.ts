import { AggregatorRegistry, Counter, Gauge, Registry } from 'prom-client'
import { observeProcess } from './metrics.ts'

/** The metrics of a process at one moment, in a form that travels between processes. */
export type MetricsSnapshot = readonly object[]

/** The metrics of several processes as those of one service. */
export type Aggregation = {
  /** Takes the newest snapshot of a process. */
  learn(process: number, snapshot: MetricsSnapshot): void
  /** A process has ended: what it had counted stays, what it was doing does not. */
  forget(process: number): void
  countRestart(): void
  /** Adds what this process uses itself. */
  includeThisProcess(): void
  /** In the text format of Prometheus. */
  text(): Promise<string>
}

/** @param countWorkers how many processes serve now. */
export const createAggregation = (countWorkers: () => number): Aggregation => {
  const own = new Registry()
  const snapshots = new Map<number, MetricsSnapshot>()
  let past: MetricsSnapshot[] = []
  const restarts = addWorkerMetrics(own, countWorkers)
  return {
    learn: (process, snapshot) => void snapshots.set(process, snapshot),
    forget(process) {
      // A counter that went back would look like a burst of events.
      past.push((snapshots.get(process) ?? []).filter(isCumulative))
      snapshots.delete(process)
    },
    countRestart: () => restarts.inc(),
    includeThisProcess: () => observeProcess(own),
    async text() {
      past = [await snapshotOf(add(past))]
      const ours = (await snapshotOf(own)).filter((metric) => !isAboutEventLoop(metric))
      return add([...snapshots.values(), ...past, ours]).metrics()
    },
  }
}

const addWorkerMetrics = (own: Registry, countWorkers: () => number): Counter => {
  new Gauge({
    name: 'tessera_workers',
    help: 'Processes that serve requests',
    registers: [own],
    collect() {
      this.set(countWorkers())
    },
  })
  return new Counter({
    name: 'tessera_worker_restarts_total',
    help: 'Workers that ended without being asked to, and were replaced',
    registers: [own],
  })
}

const add = (snapshots: readonly MetricsSnapshot[]): Registry =>
  AggregatorRegistry.aggregate(snapshots as MetricsSnapshot[] as object[])

const isCumulative = (metric: object): boolean =>
  'type' in metric && (metric.type === 'counter' || metric.type === 'histogram')

// An average with a process that serves nothing would hide what the others suffer.
const isAboutEventLoop = (metric: object): boolean =>
  'name' in metric && String(metric.name).startsWith('nodejs_eventloop')

/** The metrics of this process as they stand. */
export const snapshotOf = async (registry: Registry): Promise<MetricsSnapshot> =>
  registry.getMetricsAsJSON()
