import type { AuditEventType, Severity } from './catalogue.ts'

/** An event as it stands in the log. What it does not name is null. */
export type LoggedEvent = {
  readonly id: string
  readonly occurredAt: Date
  readonly type: AuditEventType
  readonly severity: Severity
  readonly outcome: 'success' | 'failure'
  readonly actor: string | null
  readonly subject: string | null
  readonly clientId: string | null
  readonly sessionId: string | null
  readonly familyId: string | null
  readonly requestId: string | null
  readonly address: string | null
  readonly userAgent: string | null
  readonly details: Readonly<Record<string, unknown>>
}

/** All that is named must match. Times: `from` inclusive, `to` exclusive. */
export type AuditFilter = {
  readonly type?: AuditEventType
  readonly severity?: Severity
  readonly subject?: string
  readonly actor?: string
  readonly clientId?: string
  readonly sessionId?: string
  readonly familyId?: string
  readonly address?: string
  readonly from?: Date
  readonly to?: Date
}

/** Where a page ends: `at` to the microsecond in UTC (RFC 3339), for order among equals the id. */
export type AuditPosition = { readonly at: string; readonly id: string }

export type AuditPage = {
  readonly events: readonly LoggedEvent[]
  /** Where the next page begins; undefined after the last. */
  readonly next: AuditPosition | undefined
}

/** One page: at most `limit` events before `before`, newest first. */
export type AuditPaging = { readonly limit: number; readonly before?: AuditPosition }

/** Reads what the audit log holds, newest first. Pages are found by position, never by number. */
export type AuditLog = {
  find(filter: AuditFilter, paging: AuditPaging): Promise<AuditPage>
  /** Of which the user is the subject or the actor. */
  findOwn(userId: string, paging: AuditPaging): Promise<AuditPage>
}

/**
 * All events that match, newest first, a batch at a time: however many there are, no more than one
 * batch is in memory.
 */
export async function* readAll(
  log: Pick<AuditLog, 'find'>,
  filter: AuditFilter,
  { limit, before }: AuditPaging,
): AsyncGenerator<readonly LoggedEvent[]> {
  let page = await log.find(filter, { limit, ...(before && { before }) })
  if (page.events.length > 0) yield page.events
  while (page.next !== undefined) {
    page = await log.find(filter, { limit, before: page.next })
    yield page.events
  }
}
