import { readAuthorizationDetails } from '../clients/authorization-details.ts'
import type { Client } from '../clients/client.ts'
import type { DetailsTypes } from '../clients/details-type-directory.ts'
import type { AuthorizationDetail } from '../oauth/authorization-details.ts'
import { invalidRequest, OAuthError } from '../oauth/error.ts'
import { isSubset, parseScope, type Scope } from '../oauth/scope.ts'
import { audienceOf } from './client-audience.ts'
import type { Grant } from './grant.ts'
import type { GrantTable } from './grant-table.ts'

// What holds for every grant, so that none can forget it.

/** @throws {OAuthError} unsupported_grant_type, unauthorized_client. */
export const findGrant = (grants: GrantTable, grantType: string, client: Client): Grant => {
  const grant = Object.values(grants).find((each) => each.grantType === grantType)
  if (grant === undefined) {
    throw new OAuthError('unsupported_grant_type', 'The grant_type is not supported')
  }
  if (!client.grantTypes.includes(grant.grantType)) {
    throw new OAuthError('unauthorized_client', 'The client is not registered for this grant_type')
  }
  return grant
}

/** @throws {OAuthError} invalid_request when a parameter that the grant needs is missing. */
export const readParameters = (
  grant: Grant,
  form: Readonly<Record<string, unknown>>,
): Record<string, string> => {
  const parameters: Record<string, string> = {}
  for (const name of Object.keys(grant.parameters.properties)) {
    const value = form[name]
    if (typeof value === 'string') parameters[name] = value
    else if (grant.parameters.required?.includes(name)) throw invalidRequest(`${name} is required`)
  }
  return parameters
}

/**
 * The scope that is asked for (RFC 6749 §3.3).
 * @throws {OAuthError} invalid_scope when it is malformed or beyond the client's.
 */
export const readScope = (scope: string | undefined, client: Client): Scope | undefined => {
  if (scope === undefined) return undefined
  const requested = parseScope(scope)
  if (requested === undefined || requested.length === 0) {
    throw new OAuthError('invalid_scope', 'The scope is malformed')
  }
  if (!isSubset(requested, client.scope)) {
    throw new OAuthError('invalid_scope', 'The scope is beyond what the client may be granted')
  }
  return requested
}

/**
 * The audience that is asked for by `resource` (RFC 8707 §2), compared as plain strings.
 * @throws {OAuthError} invalid_target when the client may not ask for one of them.
 */
export const readAudience = (
  resources: readonly string[] | undefined,
  client: Client,
  defaultAudience: string,
): readonly string[] | undefined => {
  if (resources === undefined) return undefined
  if (!isSubset(resources, audienceOf(client, defaultAudience))) {
    throw new OAuthError('invalid_target', 'The client may not ask for this resource')
  }
  return [...new Set(resources)]
}

/**
 * Where a request says whom its token is for: by `resource`, and for grants of RFC 8693 by
 * `audience` as well, which is the same here.
 */
export const targetsOf = (
  grant: Grant,
  { resource, audience }: { readonly resource?: string[]; readonly audience?: string[] },
): readonly string[] | undefined => {
  const targets = [...(resource ?? []), ...((grant.takesAudience && audience) || [])]
  return targets.length === 0 ? undefined : targets
}

/**
 * What is asked for beyond scope (RFC 9396 §6).
 * @throws {OAuthError} invalid_authorization_details.
 */
export const readDetails = (
  text: string | undefined,
  client: Client,
  types: Pick<DetailsTypes, 'find'>,
): readonly AuthorizationDetail[] | undefined =>
  text === undefined ? undefined : readAuthorizationDetails(text, client, types)
