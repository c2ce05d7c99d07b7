import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Deps } from '../../deps.ts'
import type { GrantResult } from '../../grants/grant.ts'
import { findGrant, readAudience, readParameters, readScope } from '../../grants/token-request.ts'
import { registerFormBody } from '../../plugins/form-body.ts'
import { limitClient } from '../../plugins/rate-limit.ts'
import { originOf } from '../../plugins/request-origin.ts'
import type { TokenSet } from '../../tokens/authorization.ts'
import type { TokenIssuer } from '../../tokens/issuer.ts'
import { clientRequestOf } from './client-parameters.ts'
import { tokenSchema, toTokenResponse } from './token-schema.ts'

type TokenDeps = Pick<Deps, 'config' | 'clientAuthenticator' | 'grants' | 'issuer'>

/** `POST /token` (RFC 6749 §3.2): one pipeline, in which only the grant differs. */
export const token: FastifyPluginAsyncTypebox<TokenDeps> = async (app, deps) => {
  registerFormBody(app, ['resource'])
  const schema = tokenSchema(deps.grants)
  app.post(
    '/token',
    { schema, config: { errorFormat: 'oauth', forClients: true, rateLimit: 'token' } },
    async (request) => {
      const { body } = request
      const origin = originOf(request)
      // 1. Who asks.
      const client = await deps.clientAuthenticator.authenticate(
        clientRequestOf(request, body),
        origin,
      )
      request.client = client
      // Refreshes have been counted by their family.
      if (body.grant_type !== 'refresh_token') await limitClient(request, client)
      // 2. What it asks for, within what it is registered for.
      const grant = findGrant(deps.grants, body.grant_type, client)
      const parameters = readParameters(grant, body)
      const scope = readScope(body.scope, client)
      const audience = readAudience(body.resource, client, deps.config.defaultAudience)
      // 3. Whether it may have that.
      const result = await grant.authorize(
        { parameters, scope, audience, confirmation: undefined, origin },
        client,
      )
      // 4. The tokens.
      return toTokenResponse(await issueTokens(deps.issuer, result))
    },
  )
}

const issueTokens = async (
  issuer: TokenIssuer,
  { authorization, tokens, refreshToken }: GrantResult,
): Promise<TokenSet> => {
  if (tokens !== undefined) return tokens
  const { accessToken, expiresIn } = await issuer.issueAccessToken(authorization)
  const { scope } = authorization
  return {
    ...{ accessToken, tokenType: 'Bearer', expiresIn, scope },
    ...(refreshToken === undefined ? {} : { refreshToken }),
  }
}
