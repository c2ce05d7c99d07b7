import { type Static, Type } from 'typebox'
import type { Client } from '../../clients/client.ts'
import type { ClientWithSecret } from '../../clients/client-administration.ts'
import { formatScope } from '../../oauth/scope.ts'
import { nullableText } from '../auth/user-schema.ts'
import { toWireSettings } from '../client-settings-body.ts'
import { settingMembers } from '../client-settings-schema.ts'

const names = (description: string) => Type.Array(Type.String(), { description })

/** A client by the names of RFC 7591 §2, where that has one; never its secrets' digests. */
const members = {
  client_id: Type.String(),
  client_name: Type.String(),
  token_endpoint_auth_method: Type.String(),
  grant_types: Type.Array(Type.String()),
  scope: Type.String({ description: 'All that it may ever be granted' }),
  audience: names('Audiences that it may ask tokens for; none: the default one'),
  resource_server: names('Audiences that it serves, and whose tokens it may introspect'),
  redirect_uris: Type.Array(Type.String()),
  cors_origins: names('Origins of web pages whose scripts may read what it is answered'),
  refresh_grace_seconds: Type.Unsafe<number | null>({
    type: ['integer', 'null'],
    description: "Window for retries of a refresh; null: the service's, 0: strict",
  }),
  refresh_retry_elsewhere: Type.Unsafe<Client['refreshRetryElsewhere']>({
    type: 'string',
    enum: ['allow', 'refuse'],
  }),
  refresh_token_rotation: Type.Unsafe<Client['refreshTokenRotation']>({
    type: 'string',
    enum: ['rotate', 'static'],
  }),
  ...settingMembers,
  registered_by: Type.Unsafe<Client['registeredBy']>({
    type: 'string',
    enum: ['operator', 'token', 'open'],
    description: 'token, open: it registered itself (RFC 7591)',
  }),
  built_in: Type.Boolean({ description: 'Cannot be changed' }),
  created_at: Type.String({ format: 'date-time' }),
  disabled_at: nullableText({ format: 'date-time' }),
}

export const clientSchema = Type.Object(members, { $id: 'Client', description: 'A client' })
export const clientReference = Type.Unsafe<Static<typeof clientSchema>>(Type.Ref('Client'))

export const clientWithSecretSchema = Type.Object(
  {
    ...members,
    client_secret: Type.Optional(
      Type.String({ description: 'Shown this once; public clients have none' }),
    ),
  },
  { $id: 'ClientWithSecret', description: 'A client and its new secret' },
)
export const clientWithSecretReference = Type.Unsafe<Static<typeof clientWithSecretSchema>>(
  Type.Ref('ClientWithSecret'),
)

export const toWireClient = (client: Client): Static<typeof clientSchema> => ({
  client_id: client.id,
  client_name: client.name,
  token_endpoint_auth_method: client.authenticationMethod,
  grant_types: [...client.grantTypes],
  scope: formatScope(client.scope),
  audience: [...client.audience],
  resource_server: [...client.resourceServer],
  redirect_uris: [...client.redirectUris],
  cors_origins: [...client.corsOrigins],
  refresh_grace_seconds: client.refreshGraceSeconds,
  refresh_retry_elsewhere: client.refreshRetryElsewhere,
  refresh_token_rotation: client.refreshTokenRotation,
  ...toWireSettings(client.settings),
  registered_by: client.registeredBy,
  built_in: client.builtIn,
  created_at: client.createdAt.toISOString(),
  disabled_at: client.disabledAt?.toISOString() ?? null,
})

export const toWireClientWithSecret = ({
  client,
  secret,
}: ClientWithSecret): Static<typeof clientWithSecretSchema> => ({
  ...toWireClient(client),
  ...(secret === undefined ? {} : { client_secret: secret }),
})

const list = Type.Optional(Type.Array(Type.String(), { maxItems: 100 }))

/** What can be stated of a client, and changed later. */
export const changeableMembers = {
  grant_types: list,
  scope: Type.Optional(Type.String({ description: 'Scope tokens with a space between them' })),
  audience: list,
  resource_server: list,
  redirect_uris: list,
  cors_origins: list,
  refresh_grace_seconds: Type.Optional(
    Type.Unsafe<number | null>({ type: ['integer', 'null'], minimum: 0, maximum: 600 }),
  ),
  refresh_retry_elsewhere: Type.Optional(
    Type.Unsafe<Client['refreshRetryElsewhere']>({ type: 'string', enum: ['allow', 'refuse'] }),
  ),
  refresh_token_rotation: Type.Optional(
    Type.Unsafe<Client['refreshTokenRotation']>({ type: 'string', enum: ['rotate', 'static'] }),
  ),
  ...settingMembers,
}
