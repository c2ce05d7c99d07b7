import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Deps } from '../../deps.ts'
import type { GrantResult } from '../../grants/grant.ts'
import { chooseConfirmation } from '../../grants/key-binding.ts'
import {
  findGrant,
  readAudience,
  readDetails,
  readParameters,
  readScope,
  targetsOf,
} from '../../grants/token-request.ts'
import { type Confirmation, tokenTypeOf } from '../../oauth/confirmation.ts'
import { registerFormBody } from '../../plugins/form-body.ts'
import { limitClient } from '../../plugins/rate-limit.ts'
import { originOf } from '../../plugins/request-origin.ts'
import type { TokenSet } from '../../tokens/authorization.ts'
import type { TokenIssuer } from '../../tokens/issuer.ts'
import { clientRequestOf } from './client-parameters.ts'
import { withIdToken } from './id-token-part.ts'
import { checkProof, spendProof } from './request-proof.ts'
import { tokenSchema, toTokenResponse } from './token-schema.ts'

type TokenDeps = Pick<
  Deps,
  'config' | 'clientAuthenticator' | 'detailsTypes' | 'grants' | 'idTokenIssuer' | 'issuer'
>

/** `POST /token` (RFC 6749 §3.2): one pipeline, in which only the grant differs. */
export const token: FastifyPluginAsyncTypebox<TokenDeps> = async (app, deps) => {
  registerFormBody(app, ['resource', 'audience'])
  const schema = tokenSchema(deps.grants)
  app.post(
    '/token',
    { schema, config: { errorFormat: 'oauth', forClients: true, rateLimit: 'token' } },
    async (request, reply) => {
      const { body } = request
      const origin = originOf(request)
      // 1. Who asks, with what key.
      const proof = await checkProof(request, reply)
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
      const targets = targetsOf(grant, body)
      const audience = readAudience(targets, client, deps.config.defaultAudience)
      const authorizationDetails = readDetails(
        body.authorization_details,
        client,
        deps.detailsTypes,
      )
      const confirmation = chooseConfirmation(client, {
        proof,
        certificate: request.clientCertificate?.thumbprint,
      })
      // 3. Whether it may have that.
      await spendProof(request, proof)
      const result = await grant.authorize(
        { parameters, scope, audience, authorizationDetails, confirmation, origin },
        client,
      )
      // 4. The tokens.
      const tokens = await issueTokens(deps.issuer, result, confirmation)
      return toTokenResponse(await withIdToken(deps.idTokenIssuer, client, result, tokens))
    },
  )
}

const issueTokens = async (
  issuer: TokenIssuer,
  { authorization, tokens, refreshToken, issuedTokenType }: GrantResult,
  confirmation: Confirmation | undefined,
): Promise<TokenSet> => {
  if (tokens !== undefined) return tokens
  const { accessToken, expiresIn, scope } = await issuer.issueAccessToken({
    ...authorization,
    ...(confirmation === undefined ? {} : { confirmation }),
  })
  const { authorizationDetails } = authorization
  return {
    ...{ accessToken, tokenType: tokenTypeOf(confirmation), expiresIn, scope },
    ...(refreshToken === undefined ? {} : { refreshToken }),
    ...(authorizationDetails === undefined ? {} : { authorizationDetails }),
    ...(issuedTokenType === undefined ? {} : { issuedTokenType }),
  }
}
