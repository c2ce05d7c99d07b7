import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client'
import { type CounterName, counters, type LabelsOf } from './counters.ts'

/** A request that was answered. */
export type AnsweredRequest = {
  readonly method: string
  /** The pattern that matched, such as `/auth/sessions/:id`; undefined when none did. */
  readonly route: string | undefined
  readonly status: number
  readonly seconds: number
}

export type Count = <N extends CounterName>(name: N, labels: LabelsOf<N>, by?: number) => void

/** The metrics of this process. No label holds anything that a request brings. */
export type Metrics = {
  readonly registry: Registry
  readonly count: Count
  observeRequest(request: AnsweredRequest): void
}

const bucketsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Begins at zero; what is only known when somebody asks, gauges.ts adds. */
export const createMetrics = (): Metrics => {
  const registry = new Registry()
  const requests = new Histogram({
    name: 'tessera_http_request_duration_seconds',
    help: 'Time from the arrival of a request to the end of its answer, by route pattern',
    labelNames: ['method', 'route', 'status_class'],
    buckets: bucketsSeconds,
    registers: [registry],
  })
  const counts = createCounters(registry)
  return {
    registry,
    count: (name, labels, by = 1) => counts[name].inc(labels, by),
    observeRequest: ({ method, route, status, seconds }) =>
      requests.observe(
        {
          method: methods.has(method) ? method : 'other',
          route: route ?? 'none',
          status_class: `${Math.floor(status / 100)}xx`,
        },
        seconds,
      ),
  }
}

const createCounters = (registry: Registry): Record<CounterName, Counter<string>> => {
  const made = Object.entries(counters).map(([key, { name, help, labels }]) => [
    key,
    new Counter({ name, help, labelNames: labels, registers: [registry] }),
  ])
  return Object.fromEntries(made)
}

/** Adds what every process of Node.js can say of itself: memory, processor time, event loop. */
export const observeProcess = (registry: Registry): void => {
  collectDefaultMetrics({ register: registry })
}
