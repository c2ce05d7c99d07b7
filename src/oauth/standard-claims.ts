import type { ClaimRequest } from './claims-request.ts'
import type { Scope } from './scope.ts'

/** Scopes of OpenID Connect that the service knows (Core §5.4, §11). */
export const openidScopes = ['openid', 'profile', 'email', 'offline_access'] as const

/** Claims about a person, by the scope that asks for them; those that the service can fill. */
export const claimsOfScope = {
  profile: ['name', 'given_name', 'family_name', 'preferred_username', 'updated_at'],
  email: ['email', 'email_verified'],
} as const satisfies Record<string, readonly string[]>

export type ClaimScope = keyof typeof claimsOfScope
export type PersonClaim = (typeof claimsOfScope)[ClaimScope][number]

/** What is known of a person, by the names of OpenID Connect Core §5.1; unknown ones are absent. */
export type PersonClaims = { readonly [Name in PersonClaim]?: string | number | boolean }

const claimScopes = Object.entries(claimsOfScope) as [ClaimScope, readonly PersonClaim[]][]

/** All claims about a person, in the order of the scopes. */
export const personClaims: readonly PersonClaim[] = claimScopes.flatMap(([, names]) => names)

/** Claims that a scope asks for by itself. */
export const claimsFor = (scope: Scope): readonly PersonClaim[] =>
  claimScopes.flatMap(([token, names]) => (scope.includes(token) ? names : []))

/**
 * Whether a value is what was asked for (Core §5.5.1). One that is not is left out: that is no
 * error, and the client learns nothing about the true one.
 */
export const meetsRequest = (value: unknown, request: ClaimRequest): boolean => {
  if (request?.value !== undefined) return request.value === value
  return request?.values === undefined || request.values.includes(value)
}

/**
 * The claims that are told: those of the scope, and those asked for one by one, as far as the
 * client is registered for a scope that covers them.
 * @param registered all that the client may ever be granted
 */
export const selectClaims = (
  known: PersonClaims,
  granted: Scope,
  requested: Readonly<Record<string, ClaimRequest>>,
  registered: Scope,
): PersonClaims => {
  const byScope = claimsFor(granted)
  const permitted = claimsFor(registered)
  const isTold = (name: PersonClaim): boolean => {
    const request = requested[name]
    if (request === undefined) return byScope.includes(name)
    return permitted.includes(name) && meetsRequest(known[name], request)
  }
  return Object.fromEntries(
    personClaims.flatMap((name) =>
      known[name] !== undefined && isTold(name) ? [[name, known[name]]] : [],
    ),
  )
}
