import { parseConfirmation } from '../oauth/confirmation.ts'
import { isPasswordOnly, permittedScope } from '../oauth/own-scope.ts'
import type { Scope } from '../oauth/scope.ts'
import type { Authorization } from './authorization.ts'
import type { FamilyGrant } from './family-store.ts'
import type { RefreshRequest } from './refresh-request.ts'

/** A family keeps its scope; its access tokens have what of it is permitted now. */
export const authorizationOf = (
  grant: FamilyGrant,
  requested: Pick<RefreshRequest, 'scope' | 'audience' | 'authorizationDetails' | 'confirmation'>,
): Authorization => ({
  clientId: grant.clientId,
  subject: grant.userId,
  scope: permittedScope(requested.scope ?? grant.scope, grant.permissions),
  audience: requested.audience ?? grant.audience,
  user: {
    ...standingOf(grant.scope, grant),
    authTime: grant.authTime,
    amr: grant.amr,
    ...(grant.acr === null ? {} : { acr: grant.acr }),
  },
  ...(grant.offline || grant.sessionId === null ? {} : { sessionId: grant.sessionId }),
  familyId: grant.familyId,
  // To the key of the request: that of a public client's family is the same (RFC 9449 §5).
  ...(requested.confirmation === undefined
    ? {}
    : { confirmation: parseConfirmation(requested.confirmation) }),
  ...(grant.authorizationDetails === null
    ? {}
    : { authorizationDetails: requested.authorizationDetails ?? grant.authorizationDetails }),
  issuedAt: grant.now,
  notAfter: grant.expiresAt,
})

/** What tokens say that a person may do: nothing while the password must be changed. */
export const standingOf = (
  scope: Scope,
  { roles, permissions }: Pick<FamilyGrant, 'roles' | 'permissions'>,
): Pick<FamilyGrant, 'roles' | 'permissions'> =>
  isPasswordOnly(scope) ? { roles: [], permissions: [] } : { roles, permissions }
