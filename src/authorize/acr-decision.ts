import { supportedAcrs } from '../oauth/acr.ts'
import type { ClaimRequest } from '../oauth/claims-request.ts'
import type { AuthorizationRequest } from './authorization-request.ts'

/** `sign_in`: another sign-in would do. `unmet`: nobody can sign in like that here. */
export type AcrVerdict = 'met' | 'sign_in' | 'unmet'

/**
 * Whether a session is strong enough for a request (RFC 9470 §5; OpenID Connect Core §5.5.1.1). Pure
 * and total. `acr_values` name those that would do, in the order of preference; an `acr` that is
 * essential must be one of its values.
 * @param isVoluntary for clients of which OpenID Connect Core §3.1.2.1 demands to be content with less
 */
export const judgeAcr = (
  { acrValues, claims }: Pick<AuthorizationRequest, 'acrValues' | 'claims'>,
  acr: string | null,
  isVoluntary: boolean,
): AcrVerdict => {
  const demands = [
    ...(isVoluntary || acrValues.length === 0 ? [] : [acrValues]),
    ...[claims?.id_token?.acr, claims?.userinfo?.acr].flatMap(essentialValues),
  ]
  if (demands.every((values) => acr !== null && values.includes(acr))) return 'met'
  const canMeet = demands.every((values) => values.some((value) => supportedAcrs.includes(value)))
  return canMeet && (acr === null || !supportedAcrs.includes(acr)) ? 'sign_in' : 'unmet'
}

const essentialValues = (request: ClaimRequest | undefined): string[][] => {
  if (!request?.essential) return []
  const values = request.values ?? (request.value === undefined ? supportedAcrs : [request.value])
  return [values.map(String)]
}
