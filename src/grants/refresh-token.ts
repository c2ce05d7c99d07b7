import { Type } from 'typebox'
import { type Client, isConfidential } from '../clients/client.ts'
import { isSenderConstrained } from '../clients/registration-rule.ts'
import { formatConfirmation } from '../oauth/confirmation.ts'
import { invalidGrant, OAuthError } from '../oauth/error.ts'
import type { RefreshPolicy, Refusal } from '../tokens/refresh-family.ts'
import type { Refresher } from '../tokens/refresher.ts'
import type { Grant } from './grant.ts'

type Dependencies = {
  readonly refresher: Refresher
  /** Window for clients that set none of their own. */
  readonly refreshGraceSeconds: number
}

/** The next token of a refresh-token family (RFC 6749 §6; OAuth 2.1 §4.3). */
export const createRefreshTokenGrant = (deps: Dependencies): Grant => ({
  grantType: 'refresh_token',
  parameters: Type.Object({
    refresh_token: Type.String({ description: 'For `refresh_token`: the token to be renewed' }),
  }),
  async authorize(request, client) {
    const { parameters, scope, audience, authorizationDetails, confirmation, origin } = request
    const result = await deps.refresher.refresh({
      refreshToken: parameters.refresh_token ?? '',
      clientId: client.id,
      policy: policyOf(client, deps.refreshGraceSeconds),
      ...(scope === undefined ? {} : { scope }),
      ...(audience === undefined ? {} : { audience }),
      ...(authorizationDetails === undefined ? {} : { authorizationDetails }),
      ...(confirmation === undefined ? {} : { confirmation: formatConfirmation(confirmation) }),
      origin,
    })
    if ('tokens' in result) {
      const { tokens, authorization, claimsRequest } = result
      return { tokens, authorization, ...(claimsRequest === null ? {} : { claimsRequest }) }
    }
    throw toError(result.outcome)
  },
})

/** How this client's refresh tokens are rotated. @param graceSeconds for those that set none. */
export const policyOf = (client: Client, graceSeconds: number): RefreshPolicy => ({
  graceSeconds: client.refreshGraceSeconds ?? Math.max(graceSeconds, leastGraceSeconds(client)),
  retryElsewhere: client.refreshRetryElsewhere,
  rotation: client.refreshTokenRotation,
})

// Such a client may come back with the earlier token after its answer was lost (FAPI 2.0 Security
// Profile §5.3.2.1).
const constrainedGraceSeconds = 60

const leastGraceSeconds = (client: Client): number =>
  isConfidential(client) && isSenderConstrained(client) ? constrainedGraceSeconds : 0

const unknown = ['unknown', 'The refresh token is not valid'] as const

/** Sub-code beside invalid_grant, and a description that tells no more than it. */
const invalidGrants: Readonly<
  Record<
    Exclude<Refusal, 'invalid_scope' | 'invalid_target'>,
    readonly [subCode: string, description: string]
  >
> = {
  unknown,
  // A thief must not learn that what was stolen is genuine.
  wrong_client: unknown,
  wrong_confirmation: unknown,
  revoked: ['revoked', 'The refresh token was revoked'],
  subject_disabled: ['subject_disabled', 'The user is disabled'],
  expired_absolute: ['expired_absolute', 'The sign-in has reached its longest duration'],
  expired_idle: ['expired_idle', 'The refresh token was not used for too long'],
  retry_refused: ['retry_refused', 'The refresh token was used before, from somewhere else'],
  diverged: ['diverged', 'The service has lost track of the sign-in; sign in again'],
  reused: ['reused', 'The refresh token was used before; its family has been ended'],
}

const toError = (refusal: Refusal): OAuthError => {
  if (refusal === 'invalid_scope') {
    return new OAuthError('invalid_scope', 'The scope is beyond what was granted')
  }
  if (refusal === 'invalid_target') {
    return new OAuthError('invalid_target', 'The resource is beyond what was granted')
  }
  const [subCode, description] = invalidGrants[refusal]
  return invalidGrant(description, subCode, refusal)
}
