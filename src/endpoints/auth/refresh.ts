import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { firstPartyClientId } from '../../clients/client.ts'
import { policyOf } from '../../grants/refresh-token.ts'
import { Problem, type ProblemCode } from '../../oauth/problem.ts'
import { Unavailable } from '../../oauth/unavailable.ts'
import { type BrowserSessions, browserSessionsOf } from '../../plugins/browser-sessions.ts'
import { originOf } from '../../plugins/request-origin.ts'
import type { Refusal } from '../../tokens/refresh-family.ts'
import { bodyProblems, problemResponses } from '../problem-schema.ts'
import { type AuthDeps, allowNoBody } from './auth-deps.ts'
import { answerTokens, cookiesMember, wantsCookies } from './session-answer.ts'
import { tokensReference } from './tokens-schema.ts'

const schema = {
  summary: 'Exchange a refresh token for new tokens',
  description:
    'Each refresh token is good for one exchange. Whoever repeats it within the grace window, because the answer was lost, gets the same successor again; later its family is ended. A token from the cookie needs the header `X-CSRF-Token`, and its successor is set as a cookie again.',
  tags: ['Sign-in'],
  body: Type.Object(
    {
      refresh_token: Type.Optional(
        Type.String({ minLength: 1, description: 'Absent: the one in the cookie' }),
      ),
      cookies: cookiesMember,
    },
    { additionalProperties: false },
  ),
  response: {
    200: tokensReference,
    ...problemResponses(
      ...bodyProblems,
      'invalid_refresh_token',
      'revoked_refresh_token',
      'reused_refresh_token',
      'expired_refresh_token',
      'untrusted_origin',
      'invalid_csrf_token',
    ),
  },
}

// Whoever presents another's token must not learn that it is genuine.
const refusals: Record<Refusal, ProblemCode> = {
  unknown: 'invalid_refresh_token',
  wrong_client: 'invalid_refresh_token',
  wrong_confirmation: 'invalid_refresh_token',
  invalid_scope: 'invalid_refresh_token',
  invalid_target: 'invalid_refresh_token',
  revoked: 'revoked_refresh_token',
  subject_disabled: 'revoked_refresh_token',
  expired_absolute: 'expired_refresh_token',
  expired_idle: 'expired_refresh_token',
  retry_refused: 'reused_refresh_token',
  diverged: 'reused_refresh_token',
  reused: 'reused_refresh_token',
}

/** `POST /auth/refresh`, and the same at `POST /refresh` */
export const refresh: FastifyPluginAsyncTypebox<AuthDeps> = async (app, deps) => {
  const sessions = browserSessionsOf(app)
  const config = { rateLimit: 'refresh' } as const
  const options = { schema, config, preValidation: allowNoBody }
  for (const url of ['/auth/refresh', '/refresh']) {
    app.post(url, options, async (request, reply) => {
      const { refresh_token: stated, cookies: asked } = request.body
      const cookies = wantsCookies(asked, deps, stated === undefined)
      // 1. The token of the body, else the cookie, which must not be used by another site.
      const refreshToken = stated ?? (await readCookie(sessions, request))
      if (cookies) sessions.requireTrusted(request)
      // 2. New tokens for it.
      const client = await deps.clients.find(firstPartyClientId)
      if (client === undefined) throw new Unavailable('the built-in client is not stored yet')
      const result = await deps.refresher.refresh({
        refreshToken,
        clientId: client.id,
        policy: policyOf(client, deps.config.refreshGraceSeconds),
        origin: originOf(request),
      })
      if ('tokens' in result) return answerTokens(request, reply, result.tokens, cookies)
      // 3. A cookie that is good for nothing goes.
      if (stated === undefined) sessions.clear(reply)
      throw new Problem(refusals[result.outcome])
    })
  }
}

const readCookie = async (sessions: BrowserSessions, request: FastifyRequest): Promise<string> => {
  const refreshToken = sessions.read(request, 'refresh')
  if (refreshToken === undefined) throw noToken()
  const familyId = await sessions.familyOf(refreshToken)
  // What is not ours is refused anyway, and belongs to no session.
  if (familyId === undefined) sessions.requireTrusted(request)
  else await sessions.requireNoForgery(request, familyId)
  return refreshToken
}

const noToken = (): Problem =>
  new Problem('validation', { fields: [{ field: 'refresh_token', message: 'is required' }] })
