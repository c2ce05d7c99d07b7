import type { Origin } from '../audit/event.ts'

/** Who does something, and from where, as the audit log names it. */
export type Act = {
  /** A user id, or `cli`. */
  readonly actor: string
  readonly origin: Origin
}
