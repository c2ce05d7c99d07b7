import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Client, isConfidential } from '../../clients/client.ts'
import { toNumericDate } from '../../clock.ts'
import type { Deps } from '../../deps.ts'
import { parseConfirmation, tokenTypeOf } from '../../oauth/confirmation.ts'
import { OAuthError } from '../../oauth/error.ts'
import { formatScope } from '../../oauth/scope.ts'
import { registerFormBody } from '../../plugins/form-body.ts'
import { originOf } from '../../plugins/request-origin.ts'
import { looksLikeRefreshToken } from '../../secrets/refresh-token.ts'
import type { AccessTokenClaims } from '../../tokens/verifier.ts'
import { clientRequestOf } from './client-parameters.ts'
import { type Introspection, introspectSchema, permittedMembers } from './introspect-schema.ts'
import {
  signedIntrospection,
  signIntrospection,
  wantsSignedAnswer,
} from './signed-introspection.ts'

type IntrospectDeps = Pick<
  Deps,
  | 'clientAuthenticator'
  | 'clock'
  | 'config'
  | 'families'
  | 'keyRing'
  | 'revocations'
  | 'subjects'
  | 'verifier'
>

/** An answer from memory is at most this old; else the table is read first. */
const maxStalenessMs = 2000

// The same for every doubt (RFC 7662 §2.2).
const inactive: Introspection = { active: false }

/** `POST /introspect` (RFC 7662): for a token's client, and for whom the token is meant. */
export const introspect: FastifyPluginAsyncTypebox<IntrospectDeps> = async (app, deps) => {
  registerFormBody(app)
  const route = {
    schema: introspectSchema,
    config: { errorFormat: 'oauth', forClients: true, rateLimit: 'introspection' },
  } as const
  app.post('/introspect', route, async (request, reply) => {
    const client = await deps.clientAuthenticator.authenticate(
      clientRequestOf(request, request.body),
      originOf(request),
    )
    request.client = client
    if (!isConfidential(client)) {
      throw new OAuthError('invalid_client', 'Introspection needs a confidential client')
    }
    const { token } = request.body
    const answer = looksLikeRefreshToken(token)
      ? await introspectRefreshToken(deps, token, client)
      : await introspectAccessToken(deps, token, client)
    if (!wantsSignedAnswer(request.headers.accept, client.settings)) return answer
    const jwt = await signIntrospection(deps, client, permittedMembers(answer))
    return reply
      .type(signedIntrospection)
      .serializer(String)
      .send(jwt as never)
  })
}

const introspectAccessToken = async (
  { revocations, verifier }: IntrospectDeps,
  token: string,
  client: Client,
): Promise<Introspection> => {
  await revocations.ensureFresh(maxStalenessMs)
  const verification = await verifier.verify(token)
  if (!verification.ok || !mayAsk(client, verification.claims)) return inactive
  const { raw, confirmation } = verification.claims
  return { ...raw, active: true, token_type: tokenTypeOf(confirmation) }
}

const mayAsk = (client: Client, { clientId, audience }: AccessTokenClaims): boolean =>
  clientId === client.id || audience.some((each) => client.resourceServer.includes(each))

/** Only its owner may ask; the answer is read from the table. */
const introspectRefreshToken = async (
  { config, families, subjects }: IntrospectDeps,
  token: string,
  client: Client,
): Promise<Introspection> => {
  const family = await families.locate(token)
  if (!family?.usable || family.grant.clientId !== client.id) return inactive
  const { grant } = family
  return {
    active: true,
    scope: formatScope(grant.scope),
    client_id: grant.clientId,
    sub: await subjects.subjectOf(grant.clientId, grant.userId),
    aud: [...grant.audience],
    iss: config.issuer,
    exp: toNumericDate(grant.expiresAt),
    ...(grant.sessionId === null ? {} : { sid: grant.sessionId }),
    auth_time: toNumericDate(grant.authTime),
    amr: [...grant.amr],
    ...(grant.acr === null ? {} : { acr: grant.acr }),
    ...(grant.authorizationDetails === null
      ? {}
      : { authorization_details: [...grant.authorizationDetails] }),
    ...(grant.confirmation === null ? {} : { cnf: parseConfirmation(grant.confirmation) }),
  }
}
