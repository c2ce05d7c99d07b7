import { type Static, Type } from 'typebox'
import type { Client } from '../../clients/client.ts'
import { certificateNames } from '../../clients/client-settings.ts'
import type { ReplacedMetadata } from '../../clients/registration-management.ts'
import { formatScope } from '../../oauth/scope.ts'
import { readSettings, toWireSettings } from '../client-settings-body.ts'
import { settingMembers } from '../client-settings-schema.ts'

const words = Type.Optional(
  Type.Array(Type.String({ maxLength: 2000 }), { maxItems: 100, uniqueItems: true }),
)
const text = (description: string) => Type.Optional(Type.String({ maxLength: 2000, description }))

// All others an operator decides; here they are unknown, and ignored.
const ownNames = [
  ...['require_pushed_authorization_requests', 'require_signed_request_object'],
  ...['request_object_signing_alg', 'default_max_age', 'require_auth_time', 'default_acr_values'],
  ...['authorization_details_types', 'jwks', 'jwks_uri', 'token_endpoint_auth_signing_alg'],
  ...certificateNames.map((name) => `tls_client_auth_${name}`),
  ...['dpop_bound_access_tokens', 'tls_client_certificate_bound_access_tokens'],
  ...['id_token_signed_response_alg', 'userinfo_signed_response_alg'],
  ...['authorization_signed_response_alg', 'introspection_signed_response_alg'],
  ...['subject_type', 'sector_identifier_uri', 'post_logout_redirect_uris'],
  ...['backchannel_logout_uri', 'backchannel_logout_session_required'],
  ...['client_uri', 'logo_uri', 'policy_uri', 'tos_uri', 'contacts'],
]
const ownSettings: object = Object.fromEntries(
  Object.entries(settingMembers).filter(([name]) => ownNames.includes(name)),
)

/** What a client says of itself (RFC 7591 §2); whatever else it says is ignored. */
export const metadataSchema = Type.Object(
  {
    client_name: text('Shown to people; default: the client_id'),
    redirect_uris: words,
    token_endpoint_auth_method: text('Default client_secret_basic'),
    grant_types: words,
    response_types: words,
    scope: text('Space-separated; what it may not have is left out'),
    ...ownSettings,
  },
  { description: 'Client metadata' },
)

/** The same as it comes back: all that counts, defaults too. */
export const registeredSchema = Type.Object(
  {
    client_id: Type.String(),
    client_id_issued_at: Type.Integer({ description: 'Seconds since 1970' }),
    client_secret: Type.Optional(Type.String({ description: 'Shown when it is made' })),
    client_secret_expires_at: Type.Optional(Type.Integer({ description: '0: never' })),
    registration_access_token: Type.String({ description: 'To manage the registration' }),
    registration_client_uri: Type.String({ format: 'uri' }),
    ...metadataSchema.properties,
  },
  { description: 'The registered client (RFC 7591 §3.2.1)' },
)

/** A body of metadata; absent and null are the same (RFC 7592 §2.2). */
export const withoutNulls = (body: unknown): unknown =>
  typeof body !== 'object' || body === null || Array.isArray(body)
    ? body
    : Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null))

export const readMetadata = (
  body: Static<typeof metadataSchema> & { readonly client_secret?: string },
): ReplacedMetadata => {
  const known = Object.fromEntries(
    Object.entries(body).filter(([name]) => Object.hasOwn(ownSettings, name)),
  )
  const stated = {
    name: body.client_name,
    authenticationMethod: body.token_endpoint_auth_method,
    grantTypes: body.grant_types,
    responseTypes: body.response_types,
    scope: body.scope?.split(' ').filter((token) => token !== ''),
    redirectUris: body.redirect_uris,
    presentSecret: body.client_secret,
  }
  return {
    ...Object.fromEntries(Object.entries(stated).filter(([, value]) => value !== undefined)),
    settings: readSettings(known),
  }
}

const isTelling = (value: unknown): boolean =>
  value !== null && !(Array.isArray(value) && value.length === 0)

/** @param managed where and by what token the client manages its registration */
export const toRegistered = (
  client: Client,
  managed: { readonly uri: string; readonly token: string },
  secret: string | undefined,
): Static<typeof registeredSchema> => ({
  client_id: client.id,
  client_id_issued_at: Math.floor(client.createdAt.getTime() / 1000),
  ...(secret === undefined ? {} : { client_secret: secret, client_secret_expires_at: 0 }),
  registration_access_token: managed.token,
  registration_client_uri: managed.uri,
  client_name: client.name,
  redirect_uris: [...client.redirectUris],
  token_endpoint_auth_method: client.authenticationMethod,
  grant_types: [...client.grantTypes],
  response_types: client.grantTypes.includes('authorization_code') ? ['code'] : [],
  scope: formatScope(client.scope),
  ...Object.fromEntries(
    Object.entries(toWireSettings(client.settings, 'all')).filter(
      ([name, value]) => Object.hasOwn(ownSettings, name) && isTelling(value),
    ),
  ),
})
