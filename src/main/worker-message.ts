import type { AddressInfo } from 'node:net'

/** Metrics of a process, as prom-client describes them for being added to those of others. */
export type MetricsSnapshot = object[]

/** From the primary to a worker. */
export type PrimaryMessage =
  | { readonly tessera: 'stop' }
  | { readonly tessera: 'metrics'; readonly request: number }

/** From a worker to the primary. */
export type WorkerMessage =
  | { readonly tessera: 'ready'; readonly address: AddressInfo }
  | { readonly tessera: 'metrics'; readonly request?: number; readonly metrics: MetricsSnapshot }

/** Of all that travels between the processes of a cluster, only what is ours. */
export const isOurs = <M extends PrimaryMessage | WorkerMessage>(message: unknown): message is M =>
  typeof message === 'object' && message !== null && 'tessera' in message
