import type { Origin } from './event.ts'

/** Who does something, and from where, as the audit log names it. */
export type Act = {
  /** A user id, a client id, or `cli`. */
  readonly actor: string
  readonly origin: Origin
}
