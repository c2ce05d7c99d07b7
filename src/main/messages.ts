import type { AddressInfo } from 'node:net'
import type { MetricsSnapshot } from '../observability/aggregation.ts'

/** From the primary to a worker: what it is to do. */
export type Order =
  /** Another worker has taken its place. */
  { readonly tessera: 'leave' } | { readonly tessera: 'report' }

/** From a worker to the primary. */
export type Report =
  | { readonly tessera: 'ready'; readonly address: AddressInfo }
  | { readonly tessera: 'metrics'; readonly metrics: MetricsSnapshot }

/** Other parts of Node.js send messages over the same channel. */
export const isOurs = (message: unknown): message is Order | Report =>
  typeof message === 'object' && message !== null && 'tessera' in message
