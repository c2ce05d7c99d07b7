import { permittedScope } from '../oauth/own-scope.ts'
import type { Authorization } from './authorization.ts'
import type { FamilyGrant } from './family-store.ts'
import type { RefreshRequest } from './refresh-request.ts'

/** A family keeps its scope; its access tokens have what of it is permitted now. */
export const authorizationOf = (
  grant: FamilyGrant,
  requested: Pick<RefreshRequest, 'scope' | 'audience'>,
): Authorization => ({
  clientId: grant.clientId,
  subject: grant.userId,
  scope: permittedScope(requested.scope ?? grant.scope, grant.permissions),
  audience: requested.audience ?? grant.audience,
  user: {
    roles: grant.roles,
    permissions: grant.permissions,
    authTime: grant.authTime,
    amr: grant.amr,
    ...(grant.acr === null ? {} : { acr: grant.acr }),
  },
  ...(grant.offline || grant.sessionId === null ? {} : { sessionId: grant.sessionId }),
  familyId: grant.familyId,
  issuedAt: grant.now,
  notAfter: grant.expiresAt,
})
