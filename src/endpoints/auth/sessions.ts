import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import type { Session } from '../../accounts/session-store.ts'
import { Problem } from '../../oauth/problem.ts'
import { requireBearer } from '../../plugins/bearer.ts'
import { originOf } from '../../plugins/request-origin.ts'
import { problemResponses } from '../problem-schema.ts'
import { type AuthDeps, bearerProblems, bearerSecurity, selfOf } from './auth-deps.ts'
import { nullableText } from './user-schema.ts'

/** Members of a session, whoever looks. */
export const sessionMembers = {
  id: Type.String({ format: 'uuid', description: '`sid` in tokens' }),
  user_agent: nullableText(),
  address: nullableText({ description: 'IP address at sign-in' }),
  created_at: Type.String({ format: 'date-time' }),
  last_seen_at: Type.String({ format: 'date-time', description: 'Sign-in or last refresh' }),
  expires_at: Type.String({ format: 'date-time' }),
  amr: Type.Array(Type.String(), { description: 'How the person was authenticated (RFC 8176)' }),
}

const sessionSchema = Type.Object({
  ...sessionMembers,
  current: Type.Boolean({ description: 'The session of the access token of this request' }),
})

const listSchema = {
  summary: 'List the own sessions',
  description: 'Live ones, newest first.',
  tags: ['Sessions'],
  security: bearerSecurity,
  response: {
    200: Type.Object({ sessions: Type.Array(sessionSchema) }, { description: 'The sessions' }),
    ...problemResponses(...bearerProblems),
  },
}

const endSchema = {
  summary: 'End one of the own sessions',
  tags: ['Sessions'],
  security: bearerSecurity,
  params: Type.Object({ id: Type.String() }),
  response: {
    204: Type.Null({ description: 'Ended' }),
    ...problemResponses(...bearerProblems, 'not_found'),
  },
}

/** `GET /auth/sessions` and `DELETE /auth/sessions/:id` */
export const sessions: FastifyPluginAsyncTypebox<AuthDeps> = async (app, deps) => {
  const { ownSessions } = deps.accounts
  app.addHook('onRequest', requireBearer(deps.verifier, deps.config.issuer, 'account'))

  app.get('/auth/sessions', { schema: listSchema }, async (request) => {
    const self = selfOf(request)
    const live = await ownSessions.list(self)
    return {
      sessions: live.map((session) => ({
        ...toWireSession(session),
        current: session.id === self.sessionId,
      })),
    }
  })

  app.delete('/auth/sessions/:id', { schema: endSchema }, async (request, reply) => {
    const { userId } = selfOf(request)
    const ended = await ownSessions.end(userId, request.params.id, originOf(request))
    if (!ended) throw new Problem('not_found')
    return reply.code(204).send(null)
  })
}

export const toWireSession = (session: Session): Omit<Static<typeof sessionSchema>, 'current'> => ({
  id: session.id,
  user_agent: session.userAgent,
  address: session.address,
  created_at: session.createdAt.toISOString(),
  last_seen_at: session.lastSeenAt.toISOString(),
  expires_at: session.expiresAt.toISOString(),
  amr: [...session.amr],
})
