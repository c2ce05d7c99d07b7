import type { Comparison } from '../cases/compare.ts'
import type { Flood } from '../cases/flood.ts'
import type { PeerResult } from '../peers/measure.ts'
import type { Plan } from '../plan.ts'
import type { Figure } from './figure.ts'
import type { Machine } from './machine.ts'

/** Everything that a run found out, as it is written to a file. */
export type Report = {
  /** ISO 8601. */
  readonly startedAt: string
  readonly minutes: number
  readonly commit: string
  readonly machine: Machine
  readonly postgres: string
  readonly plan: Plan
  readonly comparisons: readonly Comparison[]
  /** Empty unless they were asked for. */
  readonly peers: readonly PeerResult[]
  readonly flood: Flood
  readonly figures: readonly Figure[]
}
