import type { AuditEventType } from './catalogue.ts'

/** Where an act came from: what a request tells about itself, already checked and bounded. */
export type Origin = {
  readonly requestId?: string
  /** IP address of the client. */
  readonly address?: string
  readonly userAgent?: string
}

/** One audit event; its time is the database's, its severity the catalogue's. No secrets. */
export type AuditEvent = {
  readonly type: AuditEventType
  readonly outcome: 'success' | 'failure'
  /** Who acted: a user id, a client id, or `cli`. */
  readonly actor?: string
  /** The user id, or client id, that was acted upon. */
  readonly subject?: string
  readonly clientId?: string
  readonly sessionId?: string
  readonly familyId?: string
  readonly details?: Readonly<Record<string, string | number | boolean | null | readonly string[]>>
}

/** An event with its origin, as the log takes it. */
export type RecordedEvent = AuditEvent & {
  readonly origin: Origin
  /** Of what was observed earlier than it is written; otherwise the transaction's time counts. */
  readonly stamp?: Stamp
}

/** Which event it is, however often it is written, and when it happened. */
export type Stamp = {
  /** UUID. */
  readonly id: string
  readonly at: Date
}
