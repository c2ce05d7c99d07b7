import type { AlertFacts } from '../../audit/alert.ts'
import type { AlertKey } from '../../audit/alert-rules.ts'
import type { RecordedEvent } from '../../audit/event.ts'
import type { AuditEventRow } from './schema.ts'

/** Events of one key, counted. `last`: time (to the microsecond) and id of the latest. */
export type CountedRow = {
  key: string
  count: number
  first_at: Date
  last_at: Date
  last: [at: string, id: string]
}

type StoredEvent = Omit<AuditEventRow, 'occurred_at' | 'details'>

export const factsOf = (counted: CountedRow, last: StoredEvent): AlertFacts => ({
  count: counted.count,
  first_at: counted.first_at.toISOString(),
  last_at: counted.last_at.toISOString(),
  type: last.type,
  actor: last.actor,
  subject: last.subject,
  client_id: last.client_id,
  session_id: last.session_id,
  family_id: last.family_id,
  request_id: last.request_id,
  address: last.address,
  user_agent: last.user_agent,
})

/**
 * The alert in the audit log itself, from where the latest event was. Whom that was about it names
 * only where the alert is about nobody else: people read what names them.
 */
export const alertEvent = (
  id: string,
  rule: string,
  about: AlertKey,
  facts: AlertFacts,
): RecordedEvent => ({
  type: 'alert.raised',
  outcome: 'success',
  ...(about === 'address' || about === 'everywhere' ? {} : whomOf(facts)),
  details: { alert: id, rule, count: facts.count, since: facts.first_at, event: facts.type },
  origin: {
    ...(facts.request_id !== null && { requestId: facts.request_id }),
    ...(facts.address !== null && { address: facts.address }),
    ...(facts.user_agent !== null && { userAgent: facts.user_agent }),
  },
})

const whomOf = (facts: AlertFacts): Partial<RecordedEvent> => ({
  ...(facts.actor !== null && { actor: facts.actor }),
  ...(facts.subject !== null && { subject: facts.subject }),
  ...(facts.client_id !== null && { clientId: facts.client_id }),
  ...(facts.session_id !== null && { sessionId: facts.session_id }),
  ...(facts.family_id !== null && { familyId: facts.family_id }),
})
