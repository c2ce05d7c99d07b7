import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Origin } from '../../audit/event.ts'
import type { Client } from '../../clients/client.ts'
import type { Deps } from '../../deps.ts'
import { OAuthError } from '../../oauth/error.ts'
import { registerFormBody } from '../../plugins/form-body.ts'
import { originOf } from '../../plugins/request-origin.ts'
import { looksLikeRefreshToken } from '../../secrets/refresh-token.ts'
import { clientRequestOf, clientSecurity, formMediaType, tokenForm } from './client-parameters.ts'
import { oauthErrors } from './oauth-error-schema.ts'

type RevokeDeps = Pick<
  Deps,
  'accessTokenRevocation' | 'clientAuthenticator' | 'families' | 'revocations' | 'verifier'
>

// Typed as any schema: a route with a body of null would have to send one.
const emptyAnswer: object = Type.Null({ description: 'The token is not accepted any more' })

const schema = {
  summary: 'Revoke a token',
  description:
    'A refresh token of any age ends its family, with all its access tokens; an access token ends alone. A token that is not valid, or not the client’s, is answered with 200 and nothing happens.',
  tags: ['OAuth'],
  security: clientSecurity,
  consumes: [formMediaType],
  body: tokenForm,
  response: {
    200: emptyAnswer,
    ...oauthErrors(429),
  },
}

/** `POST /revoke` (RFC 7009). A 200 is a promise: whatever cannot be kept is answered 503. */
export const revoke: FastifyPluginAsyncTypebox<RevokeDeps> = async (app, deps) => {
  registerFormBody(app)
  app.post(
    '/revoke',
    { schema, config: { errorFormat: 'oauth', forClients: true } },
    async (request, reply) => {
      const origin = originOf(request)
      const client = await deps.clientAuthenticator.authenticate(
        clientRequestOf(request, request.body),
        origin,
      )
      request.client = client
      const { token } = request.body
      if (looksLikeRefreshToken(token)) await revokeFamily(deps, token, client, origin)
      else await revokeAccessToken(deps, token, client, origin)
      return reply.code(200).send()
    },
  )
}

const revokeFamily = async (
  { families, revocations }: RevokeDeps,
  token: string,
  client: Client,
  origin: Origin,
): Promise<void> => {
  const family = await families.locate(token)
  if (family === undefined || family.grant.clientId !== client.id) return
  const act = { reason: 'revoked_by_client', actor: client.id, origin }
  // It had ended before: perhaps by an attempt that committed, and was then cut off.
  if (!(await families.revoke(family.grant, act))) await revocations.announce()
}

const revokeAccessToken = async (
  { verifier, accessTokenRevocation }: RevokeDeps,
  token: string,
  client: Client,
  origin: Origin,
): Promise<void> => {
  const verification = await verifier.verify(token)
  if (!verification.ok || verification.claims.clientId !== client.id) return
  const refused = await accessTokenRevocation.revoke(verification.claims, {
    actor: client.id,
    origin,
  })
  if (refused === undefined) return
  throw new OAuthError('invalid_request', 'Too many access tokens were revoked one by one', {
    status: 429,
    retryAfterSeconds: refused.retryAfterSeconds,
  })
}
