import type { FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import type { AuditPaging, AuditPosition, LoggedEvent } from '../audit/audit-log.ts'
import { type AuditEventType, catalogue, type Severity } from '../audit/catalogue.ts'
import { decodeCursor, encodeCursor } from '../audit/cursor.ts'
import { Problem } from '../oauth/problem.ts'

export const eventTypes = Object.keys(catalogue) as AuditEventType[]
export const severities = ['info', 'notice', 'warning', 'critical'] as const satisfies Severity[]

const nullable = (description: string) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], description })

/** An event on the wire; registered once, so that the API description names it once. */
export const auditEventSchema = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    time: Type.String({ format: 'date-time' }),
    type: Type.Unsafe<AuditEventType>({ type: 'string', enum: eventTypes }),
    severity: Type.Unsafe<Severity>({ type: 'string', enum: [...severities] }),
    outcome: Type.Unsafe<LoggedEvent['outcome']>({ type: 'string', enum: ['success', 'failure'] }),
    actor: nullable('Who acted: a user, a client, or `cli`'),
    subject: nullable('The user, or client, that was acted upon'),
    client_id: nullable('The client that it happened through'),
    session_id: nullable('`sid` in tokens'),
    family_id: nullable('`fam` in tokens'),
    request_id: nullable('Names the request in the log of the service'),
    address: nullable('IP address'),
    user_agent: nullable('What the client called itself'),
    details: Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      additionalProperties: true,
      description: 'Depends on the type; never a secret',
    }),
  },
  { $id: 'AuditEvent', description: 'Something that happened, for the record' },
)

export type WireEvent = Static<typeof auditEventSchema>

export const auditPageSchema = Type.Object(
  {
    events: Type.Array(Type.Unsafe<WireEvent>(Type.Ref('AuditEvent'))),
    next_cursor: nullable('Asks for the next page; null after the last'),
  },
  { description: 'Events, newest first' },
)

/** What every listing of events takes. */
export const pagingMembers = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100, description: 'Events on a page; 50 by default' }),
  ),
  cursor: Type.Optional(
    Type.String({ maxLength: 200, description: '`next_cursor` of the page before' }),
  ),
}

const defaultLimit = 50

type PagingQuery = { readonly limit?: number | undefined; readonly cursor?: string | undefined }

/** @throws {Problem} `validation` for a cursor that no page has given */
export const readPaging = ({ limit = defaultLimit, cursor }: PagingQuery): AuditPaging => {
  if (cursor === undefined) return { limit }
  const before = decodeCursor(cursor)
  if (before === undefined) throw invalidQuery('cursor', 'must be the next_cursor of a page')
  return { limit, before }
}

/** Before the query is checked: in an address everything is text (a hook for preValidation). */
export const readLimit = async ({ query }: FastifyRequest): Promise<void> => {
  const members = query as Record<string, unknown>
  if (typeof members.limit === 'string' && /^\d{1,9}$/.test(members.limit)) {
    members.limit = Number(members.limit)
  }
}

export const invalidQuery = (field: string, message: string): Problem =>
  new Problem('validation', { fields: [{ field, message }] })

export const toWireEvent = (event: LoggedEvent): WireEvent => ({
  id: event.id,
  time: event.occurredAt.toISOString(),
  type: event.type,
  severity: event.severity,
  outcome: event.outcome,
  actor: event.actor,
  subject: event.subject,
  client_id: event.clientId,
  session_id: event.sessionId,
  family_id: event.familyId,
  request_id: event.requestId,
  address: event.address,
  user_agent: event.userAgent,
  details: { ...event.details },
})

export const toWirePage = (events: readonly WireEvent[], next: AuditPosition | undefined) => ({
  events: [...events],
  next_cursor: next === undefined ? null : encodeCursor(next),
})
