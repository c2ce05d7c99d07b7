import type { ColumnType, Generated } from 'kysely'
import type { AuditEventType, Severity } from '../../audit/catalogue.ts'
import type { AuthorizationRequest } from '../../authorize/authorization-request.ts'
import type { AuthenticationMethod } from '../../clients/client.ts'
import type { SigningAlgorithm } from '../../oauth/algorithm.ts'
import type { AuthorizationDetail } from '../../oauth/authorization-details.ts'
import type { ClaimsRequest } from '../../oauth/claims-request.ts'
import type { RevocationKind } from '../../revocation/entry.ts'

/** Rows as they stand in the database; they never leave the stores. */
export type Database = {
  roles: { name: string; permissions: string[] }
  users: UserRow
  audiences: AudienceRow
  authorization_details_types: DetailsTypeRow
  assertion_issuers: AssertionIssuerRow
  clients: ClientRow
  client_secrets: ClientSecretRow
  registration_tokens: RegistrationTokenRow
  sessions: SessionRow
  consents: ConsentRow
  authorization_requests: AuthorizationRequestRow
  authorization_codes: AuthorizationCodeRow
  device_codes: DeviceCodeRow
  refresh_families: RefreshFamilyRow
  outages: { id: string; started_at: Date; ended_at: Date }
  one_time_ids: { digest: Uint8Array; expires_at: Date }
  signing_keys: SigningKeyRow
  mac_keys: MacKeyRow
  service_keys: { purpose: string; sealed_key: Uint8Array; created_at: Generated<Date> }
  session_clients: { session_id: string; client_id: string }
  logout_notices: LogoutNoticeRow
  revocations: RevocationRow
  audit_events: AuditEventRow
  alerts: AlertRow
}

type Json = ColumnType<Record<string, unknown>, string, string>
type NullableJson<Value> = ColumnType<Value | null, string | null | undefined, string | null>

export type UserRow = {
  id: string
  email: string
  email_key: string
  username: string | null
  username_key: string | null
  name: string | null
  given_name: string | null
  family_name: string | null
  password_hash: string | null
  roles: string[]
  status: Generated<'active' | 'disabled' | 'deleted'>
  version: Generated<number>
  credential_epoch: Generated<number>
  created_at: Generated<Date>
  updated_at: Generated<Date>
  last_login_at: Date | null
  must_change_epoch: number | null
  password_expires_at: Date | null
  deleted_at: Date | null
}

export type AudienceRow = {
  name: string
  signing_algorithm: SigningAlgorithm | null
  access_token_ttl_seconds: number | null
  longest_ttl_seconds: number | null
  scope: string[] | null
  created_at: Generated<Date>
  updated_at: Generated<Date>
}

export type AssertionIssuerRow = {
  issuer: string
  jwks: NullableJson<object>
  jwks_uri: string | null
  clients: string[]
  audience: string[]
  scope: string[]
  subject: 'user' | 'external'
  assertion_audience: 'issuer' | 'legacy'
  max_lifetime_seconds: number
  created_at: Generated<Date>
  updated_at: Generated<Date>
}

export type DetailsTypeRow = {
  type: string
  description: string
  schema: Json
  created_at: Generated<Date>
  updated_at: Generated<Date>
}

export type ClientRow = {
  id: string
  name: string
  authentication_method: AuthenticationMethod
  grant_types: string[]
  scope: string[]
  audience: string[]
  resource_server: string[]
  redirect_uris: string[]
  cors_origins: Generated<string[]>
  refresh_grace_seconds: number | null
  refresh_retry_elsewhere: Generated<'allow' | 'refuse'>
  refresh_token_rotation: Generated<'rotate' | 'static'>
  settings: ColumnType<Record<string, unknown>, string | undefined, string>
  registered_by: Generated<'operator' | 'token' | 'open'>
  registration_access_digest: Uint8Array | null
  built_in: Generated<boolean>
  disabled_at: Date | null
  created_at: Generated<Date>
  updated_at: Generated<Date>
}

export type ClientSecretRow = {
  id: string
  client_id: string
  digest: Uint8Array
  sealed_secret: ColumnType<Uint8Array | null, Uint8Array | null | undefined, Uint8Array>
  created_at: Generated<Date>
  expires_at: Date | null
}

export type RegistrationTokenRow = {
  id: string
  name: string
  digest: Uint8Array
  max_uses: number | null
  uses: Generated<number>
  created_at: Generated<Date>
  expires_at: Date
  revoked_at: Date | null
}

export type SessionRow = {
  id: string
  user_id: string
  user_agent: string | null
  address: string | null
  amr: string[]
  auth_time: Date
  created_at: Generated<Date>
  expires_at: Date
  ended_at: Date | null
  ended_reason: string | null
  cookie_digest: Uint8Array | null
  last_seen_at: Date | null
  acr: string | null
}

export type ConsentRow = {
  user_id: string
  client_id: string
  scope: string[]
  audience: string[]
  authorization_details: ColumnType<AuthorizationDetail[], string, string>
  granted_at: Date
}

export type AuthorizationRequestRow = {
  id: string
  client_id: string
  request: ColumnType<AuthorizationRequest, string, string>
  pushed_digest: Uint8Array | null
  browser_digest: Uint8Array | null
  session_id: string | null
  created_at: Date
  expires_at: Date
  used_at: Date | null
}

export type AuthorizationCodeRow = {
  digest: Uint8Array
  client_id: string
  redirect_uri: string
  redirect_uri_stated: boolean
  code_challenge: string | null
  dpop_jkt: string | null
  user_id: string
  session_id: string
  credential_epoch: number
  auth_time: Date
  amr: string[]
  acr: string | null
  scope: string[]
  audience: string[] | null
  authorization_details: NullableJson<AuthorizationDetail[]>
  claims_request: NullableJson<ClaimsRequest>
  nonce: string | null
  created_at: Date
  expires_at: Date
  used_at: Date | null
  family_id: string | null
  reused_at: Date | null
}

export type DeviceCodeRow = {
  digest: Uint8Array
  user_code_digest: Uint8Array
  client_id: string
  scope: string[]
  audience: string[] | null
  authorization_details: NullableJson<AuthorizationDetail[]>
  interval_seconds: number
  polled_at: Date | null
  created_at: Date
  expires_at: Date
  user_id: string | null
  session_id: string | null
  credential_epoch: number | null
  auth_time: Date | null
  amr: string[] | null
  acr: string | null
  approved_at: Date | null
  denied_at: Date | null
  used_at: Date | null
  family_id: string | null
}

export type RefreshFamilyRow = {
  id: string
  session_id: string | null
  user_id: string
  user_version: number
  client_id: string
  scope: string[]
  audience: string[]
  auth_time: Date
  amr: string[]
  acr: string | null
  confirmation: string | null
  status_index: number | null
  authorization_details: NullableJson<AuthorizationDetail[]>
  claims_request: NullableJson<ClaimsRequest>
  offline: Generated<boolean>
  created_at: Generated<Date>
  expires_at: Date
  idle_timeout: ColumnType<never, string, never>
  revoked_at: Date | null
  revoked_reason: string | null
  generation: number
  digest: Uint8Array
  successor_salt: Uint8Array | null
  rotated_at: Date | null
  rotated_from: Uint8Array | null
  last_used_at: Date
}

export type SigningKeyRow = {
  key_id: string
  algorithm: SigningAlgorithm
  public_jwk: Json
  sealed_private_key: Uint8Array
  published_at: Generated<Date>
  sign_from: Date | null
  sign_until: Date | null
  drop_after: Date | null
  objected_at: Date | null
}

export type MacKeyRow = {
  number: number
  sealed_key: Uint8Array
  published_at: Generated<Date>
  use_from: Date
  drop_after: Date | null
}

export type LogoutNoticeRow = {
  id: string
  client_id: string
  user_id: string
  session_id: string
  created_at: Generated<Date>
  attempts: Generated<number>
  next_attempt_at: Date | null
  delivered_at: Date | null
}

export type RevocationRow = {
  kind: RevocationKind
  value: string
  created_at: Generated<Date>
  changed_at: Generated<Date>
  expires_at: Date
  lifted: Generated<boolean>
}

export type AuditEventRow = {
  id: string
  occurred_at: Generated<Date>
  type: AuditEventType
  severity: Severity
  outcome: 'success' | 'failure'
  actor: string | null
  subject: string | null
  client_id: string | null
  session_id: string | null
  family_id: string | null
  request_id: string | null
  address: string | null
  user_agent: string | null
  details: Json
}

export type AlertRow = {
  id: string
  rule: string
  key: string
  facts: Json
  raised_at: Generated<Date>
  seen_until: Date
  attempts: Generated<number>
  next_attempt_at: Date | null
  delivered_at: Date | null
}
