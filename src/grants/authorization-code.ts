import { Type } from 'typebox'
import type { Client } from '../clients/client.ts'
import type { Config } from '../config.ts'
import { invalidRequest, OAuthError } from '../oauth/error.ts'
import { isCodeVerifier, toCodeChallenge } from '../oauth/pkce.ts'
import { isSubset } from '../oauth/scope.ts'
import { sha256 } from '../secrets/digest.ts'
import { randomId } from '../secrets/random.ts'
import type {
  CodeGrant,
  OpenCode,
  PresentedCode,
  RedeemedCode,
} from '../tokens/authorization-code.ts'
import type { FamilyStarter } from '../tokens/family-start.ts'
import type { TokenIssuer } from '../tokens/issuer.ts'
import { authorizationOfLogin } from '../tokens/login-authorization.ts'
import { audienceOf } from './client-audience.ts'
import { type CodeRedemption, redeemCode } from './code-redemption.ts'
import type { Grant, GrantRequest } from './grant.ts'
import { familyConfirmationOf } from './key-binding.ts'

type Dependencies = CodeRedemption & {
  readonly config: Pick<Config, 'defaultAudience' | 'refreshTokenTtlSeconds' | 'refreshIdleSeconds'>
  readonly familyStarter: FamilyStarter
  readonly issuer: Pick<TokenIssuer, 'requireOneAlgorithm'>
}

/**
 * What a person authorized, by the code that the browser brought back (OAuth 2.1 §4.1.3). A code
 * that is refused is not used up; a second use of one ends what the first gave.
 */
export const createAuthorizationCodeGrant = (deps: Dependencies): Grant => ({
  grantType: 'authorization_code',
  parameters: Type.Object(
    {
      code: Type.String({ description: 'For `authorization_code`: what the browser brought back' }),
      redirect_uri: Type.String({ description: 'The one of the authorization request' }),
      code_verifier: Type.String({ description: 'Of which the challenge was made (RFC 7636)' }),
    },
    { required: ['code'] },
  ),
  async authorize(request, client) {
    const presented = readPresented(request, client)
    const opening = openingOf(deps, request, client)
    const redeemed = await redeemCode(deps, presented, opening.open, request.origin)
    return opening.resultOf(redeemed)
  },
})

const readPresented = (
  { parameters, confirmation }: GrantRequest,
  { id: clientId }: Client,
): PresentedCode => {
  const { code = '', redirect_uri: redirectUri, code_verifier: verifier } = parameters
  if (verifier !== undefined && !isCodeVerifier(verifier)) {
    throw invalidRequest('code_verifier must be 43 to 128 unreserved characters')
  }
  return {
    digest: sha256(code),
    clientId,
    redirectUri,
    codeChallenge: verifier === undefined ? undefined : toCodeChallenge(verifier),
    dpopJkt: confirmation && 'jkt' in confirmation ? confirmation.jkt : undefined,
  }
}

/** Makes the family of a code within the transaction, and the result after it. */
const openingOf = (
  { config, familyStarter, issuer }: Dependencies,
  { audience, confirmation }: GrantRequest,
  client: Client,
) => {
  const familyId = randomId()
  let refreshToken: string | undefined
  const audienceOfGrant = (grant: CodeGrant): readonly string[] =>
    grant.audience ?? audienceOf(client, config.defaultAudience)
  const shared = (grant: CodeGrant) => ({
    clientId: client.id,
    scope: grant.scope,
    audience: audienceOfGrant(grant),
    offline: grant.scope.includes('offline_access'),
    ttlSeconds: config.refreshTokenTtlSeconds,
    ...(grant.authorizationDetails === null
      ? {}
      : { authorizationDetails: grant.authorizationDetails }),
  })

  const open: OpenCode = (grant) => {
    if (!isSubset(audience ?? [], audienceOfGrant(grant))) {
      throw new OAuthError('invalid_target', 'The resource is beyond what was granted')
    }
    issuer.requireOneAlgorithm({
      clientId: client.id,
      audience: audience ?? audienceOfGrant(grant),
    })
    if (!client.grantTypes.includes('refresh_token')) return { familyId, family: undefined }
    const started = familyStarter.startFamily({
      ...shared(grant),
      ...{ sessionId: grant.sessionId, userId: grant.userId },
      ...{ authTime: grant.authTime, amr: grant.amr, acr: grant.acr },
      ...(grant.claimsRequest === null ? {} : { claimsRequest: grant.claimsRequest }),
      confirmation: familyConfirmationOf(client, confirmation),
      idleSeconds: config.refreshIdleSeconds,
    })
    refreshToken = started.refreshToken
    return { familyId: started.family.id, family: started.family }
  }

  const resultOf = ({ grant, standing, familyId }: RedeemedCode) => ({
    authorization: {
      ...authorizationOfLogin(grant, grant, standing, { ...shared(grant), familyId, confirmation }),
      ...(audience === undefined ? {} : { audience }),
    },
    ...(refreshToken === undefined ? {} : { refreshToken }),
    sessionId: grant.sessionId,
    ...(grant.nonce === null ? {} : { nonce: grant.nonce }),
    ...(grant.claimsRequest === null ? {} : { claimsRequest: grant.claimsRequest }),
  })

  return { open, resultOf }
}
