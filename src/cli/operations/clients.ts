import { Type } from 'typebox'
import type { Client } from '../../clients/client.ts'
import type { ClientWithSecret } from '../../clients/client-administration.ts'
import { formatScope } from '../../oauth/scope.ts'
import { byCli, defineOperation, toTimestamp } from './operation.ts'

const names = Type.Optional(Type.Array(Type.String()))
const clientId = Type.Object({ clientId: Type.String() })

/** A client by the names of RFC 7591 §2, where that has one; never its secrets' digests. */
const clientToJson = (client: Client) => ({
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
  built_in: client.builtIn,
  created_at: toTimestamp(client.createdAt),
  disabled_at: toTimestamp(client.disabledAt),
})

const withSecretToJson = ({ client, secret }: ClientWithSecret) => {
  const { client_id, ...rest } = clientToJson(client)
  return secret === undefined
    ? { client_id, ...rest }
    : { client_id, client_secret: secret, ...rest }
}

export const clientOperations = {
  'clients.create': defineOperation(
    Type.Object({
      id: Type.Optional(Type.String()),
      name: Type.String(),
      authenticationMethod: Type.Optional(Type.String()),
      grantTypes: names,
      scope: names,
      audience: names,
      resourceServer: names,
      redirectUris: names,
      corsOrigins: names,
      refreshGraceSeconds: Type.Optional(Type.Number()),
    }),
    async ({ clientAdministration }, registration) =>
      withSecretToJson(await clientAdministration.create(registration, byCli)),
  ),
  'clients.list': defineOperation(Type.Object({}), async ({ clientAdministration }) =>
    (await clientAdministration.list()).map(clientToJson),
  ),
  'clients.show': defineOperation(clientId, async ({ clientAdministration }, input) =>
    clientToJson(await clientAdministration.show(input.clientId)),
  ),
  'clients.disable': defineOperation(clientId, async ({ clientAdministration }, input) =>
    clientToJson(await clientAdministration.disable(input.clientId, byCli)),
  ),
  'clients.enable': defineOperation(clientId, async ({ clientAdministration }, input) =>
    clientToJson(await clientAdministration.enable(input.clientId, byCli)),
  ),
  'clients.rotate_secret': defineOperation(
    Type.Object({ clientId: Type.String(), overlapSeconds: Type.Optional(Type.Number()) }),
    async ({ clientAdministration }, { clientId, overlapSeconds }) =>
      withSecretToJson(await clientAdministration.rotateSecret(clientId, byCli, overlapSeconds)),
  ),
}
