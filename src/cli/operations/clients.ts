import { Type } from 'typebox'
import type { ClientWithSecret } from '../../clients/client-administration.ts'
import { toWireClient } from '../../endpoints/admin/client-schema.ts'
import { readStatedSettings, statedSettings } from './client-settings.ts'
import { byCli, defineOperation } from './operation.ts'

const names = Type.Optional(Type.Array(Type.String()))
const clientId = Type.Object({ clientId: Type.String() })
const retryElsewhere = Type.Enum(['allow', 'refuse'])

const changeable = {
  grantTypes: names,
  scope: names,
  audience: names,
  resourceServer: names,
  redirectUris: names,
  corsOrigins: names,
  refreshGraceSeconds: Type.Optional(Type.Number()),
  refreshRetryElsewhere: Type.Optional(retryElsewhere),
  refreshTokenRotation: Type.Optional(Type.Enum(['rotate', 'static'])),
  settings: statedSettings,
}

const withSecretToJson = ({ client, secret }: ClientWithSecret) => {
  const { client_id, ...rest } = toWireClient(client)
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
      ...changeable,
    }),
    async ({ clientAdministration }, { settings, ...registration }) => {
      const stated = { ...registration, ...readStatedSettings(settings) }
      return withSecretToJson(await clientAdministration.create(stated, byCli))
    },
  ),
  'clients.list': defineOperation(Type.Object({}), async ({ clientAdministration }) =>
    (await clientAdministration.list()).map(toWireClient),
  ),
  'clients.show': defineOperation(clientId, async ({ clientAdministration }, input) =>
    toWireClient(await clientAdministration.show(input.clientId)),
  ),
  'clients.update': defineOperation(
    Type.Object({ clientId: Type.String(), name: Type.Optional(Type.String()), ...changeable }),
    async ({ clientAdministration }, { clientId, settings, ...change }) => {
      const stated = { ...change, ...readStatedSettings(settings) }
      return toWireClient(await clientAdministration.update(clientId, stated, byCli))
    },
  ),
  'clients.disable': defineOperation(clientId, async ({ clientAdministration }, input) =>
    toWireClient(await clientAdministration.disable(input.clientId, byCli)),
  ),
  'clients.enable': defineOperation(clientId, async ({ clientAdministration }, input) =>
    toWireClient(await clientAdministration.enable(input.clientId, byCli)),
  ),
  'clients.rotate_secret': defineOperation(
    Type.Object({ clientId: Type.String(), overlapSeconds: Type.Optional(Type.Number()) }),
    async ({ clientAdministration }, { clientId, overlapSeconds }) =>
      withSecretToJson(await clientAdministration.rotateSecret(clientId, byCli, overlapSeconds)),
  ),
}
