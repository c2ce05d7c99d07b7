import { randomUUID } from 'node:crypto'
import type { RawBuilder } from 'kysely'
import { catalogue } from '../../audit/catalogue.ts'
import type { RecordedEvent } from '../../audit/event.ts'
import type { AuditStore } from '../../audit/writer.ts'
import type { Connection, Executor } from './database.ts'

/** Writes events in the transaction of the act they tell of; what stands already, not again. */
export const insertAuditEvents = async (
  executor: Executor,
  now: () => RawBuilder<Date>,
  events: readonly RecordedEvent[],
): Promise<void> => {
  if (events.length === 0) return
  await executor
    .insertInto('audit_events')
    .values(events.map((event) => toRow(event, now())))
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

const toRow = (event: RecordedEvent, occurredAt: RawBuilder<Date>) => ({
  id: event.stamp?.id ?? randomUUID(),
  occurred_at: event.stamp?.at ?? occurredAt,
  type: event.type,
  severity: catalogue[event.type],
  outcome: event.outcome,
  actor: event.actor ?? null,
  subject: event.subject ?? null,
  client_id: event.clientId ?? null,
  session_id: event.sessionId ?? null,
  family_id: event.familyId ?? null,
  request_id: event.origin.requestId ?? null,
  address: event.origin.address ?? null,
  user_agent: event.origin.userAgent ?? null,
  details: JSON.stringify(event.details ?? {}),
})

/** For events that belong to no transaction. */
export const createAuditStore = ({ db, now }: Connection): AuditStore => ({
  append: (events) => insertAuditEvents(db, now, events),
})
