import { Type } from 'typebox'
import type { Audience } from '../../clients/audience.ts'
import { byCli, defineOperation } from './operation.ts'

/** null: the service's default. */
const audienceToJson = (audience: Audience) => ({
  audience: audience.name,
  signing_algorithm: audience.signingAlgorithm ?? null,
  access_token_ttl_seconds: audience.accessTokenTtlSeconds ?? null,
  scope: audience.scope === undefined ? null : [...audience.scope],
})

export const audienceOperations = {
  'audiences.list': defineOperation(Type.Object({}), async ({ audienceAdministration }) =>
    (await audienceAdministration.list()).map(audienceToJson),
  ),
  'audiences.set': defineOperation(
    Type.Object({
      name: Type.String(),
      signingAlgorithm: Type.Optional(Type.String()),
      accessTokenTtlSeconds: Type.Optional(Type.Number()),
      scope: Type.Optional(Type.Array(Type.String())),
    }),
    async ({ audienceAdministration }, input) =>
      audienceToJson(await audienceAdministration.set(input, byCli)),
  ),
}
