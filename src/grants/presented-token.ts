import type { Client } from '../clients/client.ts'
import { type Confirmation, formatConfirmation } from '../oauth/confirmation.ts'
import { invalidGrant, invalidRequest } from '../oauth/error.ts'
import type { AccessTokenClaims, AccessTokenVerifier } from '../tokens/verifier.ts'

/** Kinds of tokens that can be exchanged (RFC 8693 §3): our access tokens, which are JWTs. */
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
const exchangeable = [accessTokenType, 'urn:ietf:params:oauth:token-type:jwt']

type Presented = {
  readonly token: string
  readonly type: string
  /** For what a client is told: subject_token or actor_token. */
  readonly parameter: 'subject_token' | 'actor_token'
}

/**
 * Checks a token that a client presents to have another for it: it is ours, good and not revoked,
 * and it is the client's own or is meant for it, so that nobody exchanges what has leaked elsewhere.
 * A token that is bound to a key is only presented by who proves the key in the same request.
 * @throws {OAuthError} invalid_request for another kind of token, invalid_grant for all else: why is
 *   not told (RFC 8693 §2.2.2 knows no more than that).
 */
export const readPresentedToken = async (
  verifier: Pick<AccessTokenVerifier, 'verify'>,
  { token, type, parameter }: Presented,
  client: Client,
  proved: Confirmation | undefined,
): Promise<AccessTokenClaims> => {
  if (!exchangeable.includes(type)) throw invalidRequest(`${parameter}_type is not supported`)
  const refuse = (cause: string) =>
    invalidGrant(`The ${parameter} is not valid`, `invalid_${parameter}`, cause)
  const verification = await verifier.verify(token)
  if (!verification.ok) throw refuse(verification.reason)
  const { claims } = verification
  if (!isEntrusted(claims, client)) throw refuse('it belongs to others')
  if (!isProved(claims.confirmation, proved)) throw refuse('its key was not proved')
  return claims
}

const isEntrusted = ({ clientId, audience }: AccessTokenClaims, client: Client): boolean => {
  if (clientId === client.id) return true
  const { tokenExchangeClients: allowed } = client.settings
  return (
    audience.some((each) => client.resourceServer.includes(each)) &&
    (allowed.length === 0 || allowed.includes(clientId))
  )
}

const isProved = (bound: Confirmation | undefined, proved: Confirmation | undefined): boolean =>
  bound === undefined ||
  (proved !== undefined && formatConfirmation(bound) === formatConfirmation(proved))
