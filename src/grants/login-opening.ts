import type { Client } from '../clients/client.ts'
import type { Config } from '../config.ts'
import { narrowAuthorizationDetails } from '../oauth/authorization-details.ts'
import { OAuthError } from '../oauth/error.ts'
import { isSubset } from '../oauth/scope.ts'
import { randomId } from '../secrets/random.ts'
import type { CodeGrant, OpenCode, RedeemedCode } from '../tokens/authorization-code.ts'
import type { FamilyStarter } from '../tokens/family-start.ts'
import type { TokenIssuer } from '../tokens/issuer.ts'
import { authorizationOfLogin } from '../tokens/login-authorization.ts'
import { audienceOf } from './client-audience.ts'
import type { GrantRequest, GrantResult } from './grant.ts'
import { familyConfirmationOf } from './key-binding.ts'

/** What begins that which a person authorized. */
export type LoginOpening = {
  readonly config: Pick<Config, 'defaultAudience' | 'refreshTokenTtlSeconds' | 'refreshIdleSeconds'>
  readonly familyStarter: FamilyStarter
  readonly issuer: Pick<TokenIssuer, 'requireOneAlgorithm'>
}

/** Makes the family of a code within the transaction, and the result after it. */
export const openingOf = (
  { config, familyStarter, issuer }: LoginOpening,
  { audience, authorizationDetails: details, confirmation }: GrantRequest,
  client: Client,
): { open: OpenCode; resultOf(redeemed: RedeemedCode): GrantResult } => {
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
    narrowAuthorizationDetails(details, grant.authorizationDetails ?? undefined)
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

  const resultOf = ({ grant, standing, familyId }: RedeemedCode): GrantResult => ({
    authorization: {
      ...authorizationOfLogin(grant, grant, standing, { ...shared(grant), familyId, confirmation }),
      ...(audience === undefined ? {} : { audience }),
      ...(details === undefined ? {} : { authorizationDetails: details }),
    },
    ...(refreshToken === undefined ? {} : { refreshToken }),
    sessionId: grant.sessionId,
    ...(grant.nonce === null ? {} : { nonce: grant.nonce }),
    ...(grant.claimsRequest === null ? {} : { claimsRequest: grant.claimsRequest }),
  })

  return { open, resultOf }
}
