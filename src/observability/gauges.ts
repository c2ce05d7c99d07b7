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

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number]

type GaugeSpec = {
  readonly name: string
  readonly help: string
  /** How the values of several processes become one. */
  readonly aggregator: 'sum' | 'min' | 'max'
  readonly labels?: readonly string[]
  readonly read: () => readonly Sample[]
}

/** Adds what is read whenever somebody asks. */
export const addGauges = (registry: Registry, readings: Readings): void => {
  const specs = [
    ...queueGauges(readings),
    ...healthGauges(readings),
    ...poolGauges(readings),
    ...keyGauges(readings),
  ]
  for (const spec of specs) addGauge(registry, spec)
  addDroppedEvents(registry, readings.auditEventsDropped)
}

const addGauge = (registry: Registry, { labels = [], read, ...spec }: GaugeSpec): Gauge =>
  new Gauge({
    ...spec,
    labelNames: labels,
    registers: [registry],
    collect() {
      this.reset()
      for (const [sample, value] of read()) this.set(sample, value)
    },
  })

const one = (read: () => number) => (): Sample[] => [[{}, read()]]

const queueGauges = (readings: Readings): GaugeSpec[] => [
  {
    name: 'tessera_password_hashes_waiting',
    help: 'Passwords that wait for a hashing thread',
    aggregator: 'sum',
    read: one(readings.passwordsWaiting),
  },
  {
    name: 'tessera_audit_events_waiting',
    help: 'Audit events in memory, not yet written',
    aggregator: 'sum',
    read: one(readings.auditEventsWaiting),
  },
]

const healthGauges = (readings: Readings): GaugeSpec[] => [
  {
    name: 'tessera_revocation_lag_seconds',
    help: 'Time since the revocations were last read',
    aggregator: 'max',
    read: one(() => readings.revocationLagMs() / 1000),
  },
  {
    name: 'tessera_ready',
    help: '1 while requests should be sent here, 0 while it stops',
    aggregator: 'max',
    read: one(() => Number(readings.isReady())),
  },
  {
    name: 'tessera_dependency_up',
    help: '1 while the dependency answers',
    aggregator: 'min',
    labels: ['dependency'],
    read: () => dependencySamples(readings.dependencies, readings.degraded()),
  },
]

const poolGauges = ({ poolUse }: Readings): GaugeSpec[] => [
  {
    name: 'tessera_database_connections',
    help: 'Connections of the pool',
    aggregator: 'sum',
    labels: ['state'],
    read: () => connectionSamples(poolUse()),
  },
  {
    name: 'tessera_database_waiting',
    help: 'Requests that wait for a connection of the pool',
    aggregator: 'sum',
    read: () => waitingSamples(poolUse()),
  },
]

const keyGauges = ({ signingKeys }: Readings): GaugeSpec[] => [
  {
    name: 'tessera_signing_key_age_seconds',
    help: 'Time for which the key has signed',
    aggregator: 'max',
    labels: ['algorithm'],
    read: () => signingKeys().map(({ algorithm, ageSeconds }) => [{ algorithm }, ageSeconds]),
  },
  {
    name: 'tessera_signing_key_next_rotation_timestamp_seconds',
    help: 'When the next key is to sign, in seconds since 1970',
    aggregator: 'max',
    labels: ['algorithm'],
    read: () => rotationSamples(signingKeys()),
  },
]

const dependencySamples = (names: readonly string[], degraded: readonly string[]): Sample[] =>
  names.map((dependency) => [{ dependency }, Number(!degraded.includes(dependency))])

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
