import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { LoggedEvent } from '../../audit/audit-log.ts'
import { requireBearer } from '../../plugins/bearer.ts'
import {
  auditPageSchema,
  pagingMembers,
  readLimit,
  readPaging,
  toWireEvent,
  toWirePage,
} from '../audit-schema.ts'
import { problemResponses } from '../problem-schema.ts'
import { type AuthDeps, bearerProblems, bearerSecurity, selfOf } from './auth-deps.ts'

const schema = {
  summary: 'What happened on the own account, and what one did oneself',
  description: 'Newest first. Where another person acted, from where is not shown.',
  tags: ['Account'],
  security: bearerSecurity,
  querystring: Type.Object(pagingMembers, { additionalProperties: false }),
  response: {
    200: auditPageSchema,
    ...problemResponses('validation', ...bearerProblems),
  },
}

/** `GET /auth/audit-log` */
export const ownAuditLog: FastifyPluginAsyncTypebox<AuthDeps> = async (app, deps) => {
  app.addHook('onRequest', requireBearer(deps.verifier, deps.config.issuer, 'account'))
  app.addHook('preValidation', readLimit)

  app.get('/auth/audit-log', { schema }, async (request) => {
    const { userId } = selfOf(request)
    const { events, next } = await deps.auditLog.findOwn(userId, readPaging(request.query))
    return toWirePage(
      events.map((event) => toWireEvent(asSeenBy(userId, event))),
      next,
    )
  })
}

const userId = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Of an administrator one learns what was done, not from where. */
const asSeenBy = (self: string, event: LoggedEvent): LoggedEvent => {
  const { actor } = event
  const byAnother = actor !== null && actor !== self && userId.test(actor)
  return byAnother ? { ...event, requestId: null, address: null, userAgent: null } : event
}
