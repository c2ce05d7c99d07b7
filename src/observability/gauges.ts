import { Counter, Gauge, type Registry } from 'prom-client'

/** Connections of the database pool. */
export type PoolUse = {
  readonly used: number
  readonly idle: number
  /** Requests that wait for a connection. */
  readonly waiting: number
}

/** A key that signs, or that waits to. */
export type KeyReading = {
  readonly algorithm: string
  readonly ageSeconds: number
  /** When its successor is to sign; undefined while that is not planned. */
  readonly nextRotationAt: Date | undefined
}

/** Numbers of the parts, read whenever somebody asks for the metrics. */
export type Readings = {
  readonly passwordsWaiting: () => number
  readonly auditEventsWaiting: () => number
  readonly auditEventsDropped: () => number
  /** undefined in the embedded mode, which has no pool. */
  readonly poolUse: () => PoolUse | undefined
  readonly revocationLagMs: () => number
  readonly isReady: () => boolean
  /** Names of the dependencies, and of those that do not answer. */
  readonly dependencies: readonly string[]
  readonly degraded: () => readonly string[]
  /** The keys that sign now. */
  readonly signingKeys: () => readonly KeyReading[]
}

type Aggregator = 'sum' | 'min' | 'max'
type Sample = readonly [labels: Readonly<Record<string, string>>, value: number]

/** Adds the gauges. @param aggregator how the values of several processes become one */
export const addGauges = (registry: Registry, readings: Readings): void => {
  const gauge = (
    name: string,
    help: string,
    aggregator: Aggregator,
    samples: () => readonly Sample[],
    labelNames: readonly string[] = [],
  ) =>
    new Gauge({
      name,
      help,
      labelNames,
      aggregator,
      registers: [registry],
      collect() {
        this.reset()
        for (const [labels, value] of samples()) this.set(labels, value)
      },
    })
  const one = (read: () => number) => (): Sample[] => [[{}, read()]]

  gauge(
    'tessera_password_hashes_waiting',
    'Passwords that wait for a hashing thread',
    'sum',
    one(readings.passwordsWaiting),
  )
  gauge(
    'tessera_audit_events_waiting',
    'Audit events in memory, not yet written',
    'sum',
    one(readings.auditEventsWaiting),
  )
  gauge(
    'tessera_revocation_lag_seconds',
    'Time since the revocations were last read',
    'max',
    one(() => readings.revocationLagMs() / 1000),
  )
  gauge(
    'tessera_ready',
    '1 while requests should be sent here, 0 while it stops',
    'max',
    one(() => Number(readings.isReady())),
  )
  gauge(
    'tessera_dependency_up',
    '1 while the dependency answers',
    'min',
    () => {
      const degraded = readings.degraded()
      return readings.dependencies.map((name) => [
        { dependency: name },
        Number(!degraded.includes(name)),
      ])
    },
    ['dependency'],
  )
  gauge(
    'tessera_database_connections',
    'Connections of the pool',
    'sum',
    () => connectionSamples(readings.poolUse()),
    ['state'],
  )
  gauge('tessera_database_waiting', 'Requests that wait for a connection of the pool', 'sum', () =>
    waitingSamples(readings.poolUse()),
  )
  gauge(
    'tessera_signing_key_age_seconds',
    'Time for which the key has signed',
    'max',
    () => readings.signingKeys().map(({ algorithm, ageSeconds }) => [{ algorithm }, ageSeconds]),
    ['algorithm'],
  )
  gauge(
    'tessera_signing_key_next_rotation_timestamp_seconds',
    'When the next key is to sign, in seconds since 1970',
    'max',
    () => rotationSamples(readings.signingKeys()),
    ['algorithm'],
  )
  addDroppedEvents(registry, readings.auditEventsDropped)
}

const connectionSamples = (use: PoolUse | undefined): Sample[] =>
  use === undefined
    ? []
    : [
        [{ state: 'used' }, use.used],
        [{ state: 'idle' }, use.idle],
      ]

const waitingSamples = (use: PoolUse | undefined): Sample[] =>
  use === undefined ? [] : [[{}, use.waiting]]

const rotationSamples = (keys: readonly KeyReading[]): Sample[] =>
  keys.flatMap(({ algorithm, nextRotationAt }): Sample[] =>
    nextRotationAt === undefined ? [] : [[{ algorithm }, nextRotationAt.getTime() / 1000]],
  )

// Counted by the audit writer itself.
const addDroppedEvents = (registry: Registry, read: () => number): void => {
  new Counter({
    name: 'tessera_audit_events_dropped_total',
    help: 'Audit events that were lost',
    registers: [registry],
    collect() {
      this.reset()
      this.inc(read())
    },
  })
}
