import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { firstPartyClientId } from '../../clients/client.ts'
import { policyOf } from '../../grants/refresh-token.ts'
import { Problem, type ProblemCode } from '../../oauth/problem.ts'
import { Unavailable } from '../../oauth/unavailable.ts'
import { originOf } from '../../plugins/request-origin.ts'
import type { Refusal } from '../../tokens/refresh-family.ts'
import { bodyProblems, problemResponses } from '../problem-schema.ts'
import type { AuthDeps } from './auth-deps.ts'
import { tokensReference, toWireTokens } from './tokens-schema.ts'

const schema = {
  summary: 'Exchange a refresh token for new tokens',
  description:
    'Each refresh token is good for one exchange. Whoever repeats it within the grace window, because the answer was lost, gets the same successor again; later its family is ended.',
  tags: ['Sign-in'],
  body: Type.Object(
    { refresh_token: Type.String({ minLength: 1 }) },
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
  for (const url of ['/auth/refresh', '/refresh']) {
    app.post(url, { schema, config: { rateLimit: 'refresh' } }, async (request) => {
      const client = await deps.clients.find(firstPartyClientId)
      if (client === undefined) throw new Unavailable('the built-in client is not stored yet')
      const result = await deps.refresher.refresh({
        refreshToken: request.body.refresh_token,
        clientId: client.id,
        policy: policyOf(client, deps.config.refreshGraceSeconds),
        origin: originOf(request),
      })
      if (!('tokens' in result)) throw new Problem(refusals[result.outcome])
      return toWireTokens(result.tokens)
    })
  }
}
