import type { Flood } from '../cases/flood.ts'
import type { Counts } from '../measures/counts.ts'
import type { StartTimes } from '../measures/start-time.ts'
import type { Figure } from './figure.ts'

export const floodFigures = (flood: Flood): Figure[] => [
  {
    name: 'p99 of refreshes in a flood of sign-ins, to that without',
    value: flood.ratio,
    unit: '×',
    budget: { atMost: 2 },
    note: [
      `${Math.round(flood.refreshesPerSecond)} refreshes/s offered:`,
      `p99 ${flood.calm.p99.toFixed(1)} ms without,`,
      `${flood.flooded.p99.toFixed(1)} ms with ${Math.round(flood.signInsPerSecond)} sign-ins/s offered`,
      `(${Math.round(shareShed(flood) * 100)} % of them shed with 503)`,
    ].join(' '),
  },
]

const shareShed = ({ answered, shed }: Flood): number => shed / (answered + shed)

export const countFigures = (counts: Counts): Figure[] => [
  {
    name: 'SQL round trips per refresh',
    value: counts.roundTripsPerRefresh,
    unit: '',
    // The service's own polling runs beside: about two statements a second.
    budget: { atMost: 1.02 },
  },
  {
    name: 'SQL round trips per client-credentials grant',
    value: counts.roundTripsPerClientCredentials,
    unit: '',
    budget: { atMost: 0.02 },
  },
  {
    name: 'log of the database per refresh, without page images',
    value: counts.logBytes,
    unit: 'bytes',
    budget: { atMost: 400 },
  },
  {
    name: 'the same just after a checkpoint, with page images',
    value: counts.logBytesAfterCheckpoint,
    unit: 'bytes',
  },
  {
    name: 'heap-only updates',
    value: counts.heapOnly * 100,
    unit: '%',
    budget: { atLeast: 95 },
  },
]

export const startFigures = (postgres: StartTimes, embedded: StartTimes): Figure[] => [
  {
    name: 'start against Postgres, first',
    value: postgres.first,
    unit: 'ms',
    note: 'with all migrations, and keys to make',
  },
  { name: 'start against Postgres', value: postgres.later, unit: 'ms', budget: { atMost: 1000 } },
  {
    name: 'start in the embedded mode, first',
    value: embedded.first,
    unit: 'ms',
    budget: { atMost: 5000 },
  },
  {
    name: 'start in the embedded mode',
    value: embedded.later,
    unit: 'ms',
    budget: { atMost: 1500 },
  },
]

/** Megabytes: after the grants and refreshes, and after all the rest of the run. */
export const memoryFigures = (afterTokens: number, atTheEnd: number): Figure[] => [
  {
    name: 'resident memory against Postgres, after load',
    value: afterTokens,
    unit: 'MB',
    budget: { atMost: 200 },
    note: 'more than a minute of grants and refreshes at full load',
  },
  {
    name: 'the same after sign-ins and the flood too',
    value: atTheEnd,
    unit: 'MB',
    note: 'with the thread that hashes passwords',
  },
]
