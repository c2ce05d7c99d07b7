import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Problem } from '../../oauth/problem.ts'
import { presentedToken, requireBearer } from '../../plugins/bearer.ts'
import { type BrowserSessions, browserSessionsOf } from '../../plugins/browser-sessions.ts'
import { originOf } from '../../plugins/request-origin.ts'
import type { RevocationKind } from '../../revocation/entry.ts'
import type { AccessTokenVerifier } from '../../tokens/verifier.ts'
import { bodyProblems, problemResponses } from '../problem-schema.ts'
import { type AuthDeps, allowNoBody, bearerProblems, bearerSecurity, selfOf } from './auth-deps.ts'

const logoutSchema = {
  summary: 'Sign out',
  description:
    'Ends the session of the access token in the header, or of the refresh token in the body, whichever is given; without both, that of the cookies. Takes the cookies away. Idempotent: what has ended before, or was never there, is 204 too.',
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
  preValidation: allowNoBody,
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
  const sessions = browserSessionsOf(app)
  const authenticate = requireBearer(deps.verifier, deps.config.issuer, 'account')

  app.post('/auth/logout', logoutOptions, async (request, reply) => {
    const refreshToken = request.body.refresh_token ?? (await readCookie(sessions, request))
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
    // 3. So are the cookies, unless another site asks.
    if (sessions.isTrusted(request)) sessions.clear(reply)
    return reply.code(204).send(null)
  })

  app.post(
    '/auth/logout-all',
    { schema: logoutAllSchema, onRequest: authenticate },
    async (request, reply) => {
      await ownSessions.endAll(selfOf(request).userId, originOf(request))
      if (sessions.isTrusted(request)) sessions.clear(reply)
      return reply.code(204).send(null)
    },
  )
}

/**
 * The refresh token of the cookie, where no header comes before it.
 * @throws {Problem} `untrusted_origin`, `invalid_csrf_token`
 */
const readCookie = async (
  sessions: BrowserSessions,
  request: FastifyRequest,
): Promise<string | undefined> => {
  if (request.headers.authorization !== undefined) return undefined
  const refreshToken = sessions.read(request, 'refresh')
  if (refreshToken === undefined) return undefined
  const familyId = await sessions.familyOf(refreshToken)
  if (familyId === undefined) sessions.requireTrusted(request)
  else await sessions.requireNoForgery(request, familyId)
  return refreshToken
}

/** Whether the access token is refused because its session is over: then there is nothing to do. */
const hasEnded = async (verifier: AccessTokenVerifier, request: FastifyRequest) => {
  const verification = await verifier.verify(presentedToken(request)?.token ?? '')
  return !verification.ok && endings.includes(verification.revokedBy ?? '')
}

const endings: readonly string[] = ['sid', 'fam', 'sub'] satisfies RevocationKind[]
