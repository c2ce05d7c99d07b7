import type { AuditEvent, RecordedEvent } from '../audit/event.ts'
import type { FamilyGrant } from './family-store.ts'
import type { RefreshRequest } from './refresh-request.ts'

export const describeFamilyEvent = (
  request: RefreshRequest,
  grant: FamilyGrant,
  type: AuditEvent['type'],
  details: AuditEvent['details'] = {},
): RecordedEvent => ({
  type,
  outcome: 'failure',
  actor: request.clientId,
  subject: grant.userId,
  clientId: grant.clientId,
  ...(grant.sessionId === null ? {} : { sessionId: grant.sessionId }),
  familyId: grant.familyId,
  details,
  origin: request.origin,
})
