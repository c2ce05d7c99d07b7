import { type RawBuilder, type Selectable, sql } from 'kysely'
import type { FamilyGrant } from '../../tokens/family-store.ts'
import type { RefreshFamilyRow } from './schema.ts'
import { permissionsOfUser } from './user-rows.ts'

/** The database's present moment, as a part of a statement. */
export type Now = () => RawBuilder<Date>

/** Of a family `f`: nothing has ended the session that it belongs to. */
export const sessionLive = (now: Now) => sql`(f.offline OR EXISTS (
  SELECT FROM sessions s
  WHERE s.id = f.session_id AND s.ended_at IS NULL AND s.expires_at > ${now()}))`

/** Of a family `f` and its user `u`: what tokens are made of. */
export const grantColumns = (now: Now) => sql`
  f.id, f.session_id, f.user_id, f.client_id, f.offline, f.scope, f.audience, f.auth_time, f.amr,
  f.acr, f.confirmation, f.authorization_details, f.claims_request, f.expires_at,
  u.roles, ${permissionsOfUser} AS permissions, ${now()} AS at`

/** What `grantColumns` read. */
export type GrantRow = Pick<
  Selectable<RefreshFamilyRow>,
  | 'id'
  | 'session_id'
  | 'user_id'
  | 'client_id'
  | 'offline'
  | 'scope'
  | 'audience'
  | 'auth_time'
  | 'amr'
  | 'acr'
  | 'confirmation'
  | 'authorization_details'
  | 'claims_request'
  | 'expires_at'
> & { roles: string[]; permissions: string[]; at: Date }

export const toGrant = (row: GrantRow): FamilyGrant => ({
  familyId: row.id,
  sessionId: row.session_id,
  userId: row.user_id,
  clientId: row.client_id,
  offline: row.offline,
  scope: row.scope,
  audience: row.audience,
  authTime: row.auth_time,
  amr: row.amr,
  acr: row.acr,
  confirmation: row.confirmation,
  authorizationDetails: row.authorization_details,
  claimsRequest: row.claims_request,
  expiresAt: row.expires_at,
  roles: row.roles,
  permissions: row.permissions,
  now: row.at,
})
