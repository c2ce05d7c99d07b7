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

/** An event with its origin, as the writer takes it. */
export type RecordedEvent = AuditEvent & { readonly origin: Origin }
