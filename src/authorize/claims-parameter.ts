import type { ClaimRequest, ClaimsRequest } from '../oauth/claims-request.ts'
import { invalidRequest } from '../oauth/error.ts'

const mostClaims = 50

/**
 * Reads the parameter `claims` (OpenID Connect Core §5.5). Unknown members count for nothing.
 * @throws {OAuthError} invalid_request
 */
export const readClaims = (text: string): ClaimsRequest => {
  const claims = parse(text)
  if (!isObject(claims)) throw malformed()
  return {
    ...(claims.userinfo === undefined ? {} : { userinfo: readPart(claims.userinfo) }),
    ...(claims.id_token === undefined ? {} : { id_token: readPart(claims.id_token) }),
  }
}

const parse = (text: string): unknown => {
  try {
    const value: unknown = JSON.parse(text)
    // Escapes can spell what neither Postgres nor a token can hold.
    return /\\u(?:0000|d[89a-f])/i.test(JSON.stringify(value)) ? undefined : value
  } catch {
    return undefined
  }
}

const readPart = (part: unknown): Record<string, ClaimRequest> => {
  if (!isObject(part) || Object.keys(part).length > mostClaims) throw malformed()
  const claims: Record<string, ClaimRequest> = {}
  for (const [name, request] of Object.entries(part)) {
    if (!isClaimRequest(request)) throw malformed()
    // Object.entries has none of a prototype, and neither may what is made of it.
    Object.defineProperty(claims, name, { value: request, enumerable: true })
  }
  return claims
}

const isClaimRequest = (value: unknown): value is ClaimRequest =>
  value === null ||
  (isObject(value) &&
    (value.essential === undefined || typeof value.essential === 'boolean') &&
    (value.values === undefined || Array.isArray(value.values)))

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const malformed = () => invalidRequest('claims is not valid (OpenID Connect Core 5.5)')
