import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import { type AuditFilter, readAll } from '../../audit/audit-log.ts'
import type { AuditEventType, Severity } from '../../audit/catalogue.ts'
import type { Deps } from '../../deps.ts'
import { toPlainAddress } from '../../plugins/request-origin.ts'
import {
  auditPageSchema,
  eventTypes,
  invalidQuery,
  pagingMembers,
  readLimit,
  readPaging,
  severities,
  toWireEvent,
  toWirePage,
} from '../audit-schema.ts'
import { problemResponses } from '../problem-schema.ts'
import { isAskedFor } from './accept.ts'
import { adminProblems, adminRoute } from './admin-deps.ts'

const text = (description: string) =>
  Type.Optional(
    Type.String({ minLength: 1, maxLength: 256, pattern: '^[^\\u0000-\\u001f]*$', description }),
  )
const id = (description: string) => Type.Optional(Type.String({ format: 'uuid', description }))
const time = (description: string) =>
  Type.Optional(Type.String({ format: 'date-time', description }))

const querySchema = Type.Object(
  {
    type: Type.Optional(Type.Unsafe<AuditEventType>({ type: 'string', enum: eventTypes })),
    severity: Type.Optional(Type.Unsafe<Severity>({ type: 'string', enum: [...severities] })),
    subject: text('The user, or client, that was acted upon'),
    actor: text('Who acted: a user, a client, or `cli`'),
    client: text('The client that it happened through'),
    session: id('`sid` in tokens'),
    family: id('`fam` in tokens'),
    address: text('IP address'),
    from: time('The first moment'),
    to: time('The moment before which it ends'),
    ...pagingMembers,
  },
  { additionalProperties: false },
)

const ndjson = 'application/x-ndjson'

const lines = 'All events that match, an `AuditEvent` a line'

const schema = {
  querystring: querySchema,
  response: {
    200: {
      description: 'Events, newest first',
      content: {
        'application/json': { schema: auditPageSchema },
        [ndjson]: { schema: Type.Unsafe<Readable>({ type: 'string', description: lines }) },
      },
    },
    ...problemResponses('validation', ...adminProblems),
  },
}

/** Events that an export holds in memory at a time. */
const exportBatch = 500

/** `GET /admin/audit-events` */
export const auditEvents: FastifyPluginAsyncTypebox<Pick<Deps, 'auditLog'>> = async (
  app,
  { auditLog },
) => {
  app.addHook('preValidation', readLimit)

  const route = adminRoute('audit.read', 'Read the audit log, or export it', schema)

  app.get('/admin/audit-events', route, async (request, reply) => {
    const { query } = request
    const filter = readFilter(query)
    reply.header('vary', 'accept')
    if (!isAskedFor(request.headers.accept, ndjson, 'application/json')) {
      const { events, next } = await auditLog.find(filter, readPaging(query))
      return reply.type('application/json').send(toWirePage(events.map(toWireEvent), next))
    }
    if (query.limit !== undefined) throw invalidQuery('limit', 'is for pages, not for an export')
    const paging = { ...readPaging(query), limit: exportBatch }
    // A stream is asked for more only when its reader has taken what there was.
    return reply.type(ndjson).send(Readable.from(toLines(auditLog, filter, paging)))
  })
}

async function* toLines(...reading: Parameters<typeof readAll>): AsyncGenerator<string> {
  for await (const events of readAll(...reading)) {
    yield events.map((event) => `${JSON.stringify(toWireEvent(event))}\n`).join('')
  }
}

/** @throws {Problem} `validation`, naming the member */
const readFilter = (query: Static<typeof querySchema>): AuditFilter => {
  const { client, session, family, address, from, to, limit, cursor, ...same } = query
  const filter = {
    ...same,
    ...(client !== undefined && { clientId: client }),
    ...(session !== undefined && { sessionId: session }),
    ...(family !== undefined && { familyId: family }),
    ...(address !== undefined && { address: readAddress(address) }),
    ...(from !== undefined && { from: readTime('from', from) }),
    ...(to !== undefined && { to: readTime('to', to) }),
  }
  if (filter.from && filter.to && filter.from >= filter.to) {
    throw invalidQuery('to', 'must be later than from')
  }
  return filter
}

const [earliest, latest] = [Date.parse('0001-01-01T00:00Z'), Date.parse('9999-12-31T23:59:59.999Z')]

/** The format admits what is no time here or in the database: leap seconds, the year 0. */
const readTime = (member: string, given: string): Date => {
  const time = new Date(given)
  if (time.getTime() >= earliest && time.getTime() <= latest) return time
  throw invalidQuery(member, 'must be a valid date-time')
}

const readAddress = (given: string): string => {
  const address = toPlainAddress(given)
  if (address !== undefined) return address
  throw invalidQuery('address', 'must be an IP address')
}
