import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Problem } from '../../oauth/problem.ts'
import { requireBearer } from '../../plugins/bearer.ts'
import { originOf } from '../../plugins/request-origin.ts'
import type { RevocationKind } from '../../revocation/entry.ts'
import type { AccessTokenVerifier } from '../../tokens/verifier.ts'
import { bodyProblems, problemResponses } from '../problem-schema.ts'
import { type AuthDeps, bearerProblems, bearerSecurity, selfOf } from './auth-deps.ts'

const logoutSchema = {
  summary: 'Sign out',
  description:
    'Ends the session of the access token in the header, or of the refresh token in the body, whichever is given. Idempotent: what has ended before, or was never there, is 204 too.',
  tags: ['Sign-in'],
  security: [...bearerSecurity, {}],
  body: Type.Object(
    { refresh_token: Type.Optional(Type.String({ minLength: 1 })) },
    { additionalProperties: false },
  ),
  response: {
    204: Type.Null({ description: 'Signed out' }),
    ...problemResponses(...bodyProblems, ...bearerProblems),
  },
}

const logoutOptions = {
  schema: logoutSchema,
  // The header alone will do.
  preValidation: async (request: FastifyRequest) => {
    if (request.body === undefined) request.body = {}
  },
}

const logoutAllSchema = {
  summary: 'Sign out everywhere',
  description: 'Ends all sessions, and what apps may do in the absence of the user.',
  tags: ['Sign-in'],
  security: bearerSecurity,
  response: {
    204: Type.Null({ description: 'Signed out everywhere' }),
    ...problemResponses(...bearerProblems),
  },
}

/** `POST /auth/logout` and `POST /auth/logout-all` */
export const logout: FastifyPluginAsyncTypebox<AuthDeps> = async (app, deps) => {
  const { ownSessions } = deps.accounts
  const authenticate = requireBearer(deps.verifier, deps.config.issuer, 'account')

  app.post('/auth/logout', logoutOptions, async (request, reply) => {
    const { refresh_token: refreshToken } = request.body
    const origin = originOf(request)
    // 1. A good access token is asked for unless there is a refresh token, which is enough.
    const self = await authenticate.call(app, request, reply).then(
      () => selfOf(request),
      async (error: unknown) => {
        const enough = refreshToken !== undefined || (await hasEnded(deps.verifier, request))
        if (error instanceof Problem && enough) return undefined
        throw error
      },
    )
    // 2. What was given is ended.
    if (refreshToken !== undefined) await ownSessions.endByRefreshToken(refreshToken, origin)
    if (self?.sessionId !== undefined) await ownSessions.end(self.userId, self.sessionId, origin)
    return reply.code(204).send(null)
  })

  app.post(
    '/auth/logout-all',
    { schema: logoutAllSchema, onRequest: authenticate },
    async (request, reply) => {
      await ownSessions.endAll(selfOf(request).userId, originOf(request))
      return reply.code(204).send(null)
    },
  )
}

/** Whether the access token is refused because its session is over: then there is nothing to do. */
const hasEnded = async (verifier: AccessTokenVerifier, request: FastifyRequest) => {
  const token = request.headers.authorization?.replace(/^Bearer +/i, '').trimEnd() ?? ''
  const verification = await verifier.verify(token)
  return !verification.ok && endings.includes(verification.revokedBy ?? '')
}

const endings: readonly string[] = ['sid', 'fam', 'sub'] satisfies RevocationKind[]
