import { Type } from 'typebox'
import { toWireToken } from '../../endpoints/admin/registration-tokens.ts'
import { byCli, defineOperation } from './operation.ts'

export const registrationTokenOperations = {
  'registration_tokens.create': defineOperation(
    Type.Object({
      name: Type.String(),
      maxUses: Type.Optional(Type.Unsafe<number | null>({ type: ['integer', 'null'] })),
      ttlSeconds: Type.Optional(Type.Number()),
    }),
    async ({ registrationTokenAdministration }, input) => {
      const created = await registrationTokenAdministration.create(input, byCli)
      const { id, ...rest } = toWireToken(created.registrationToken)
      return { id, token: created.token, ...rest }
    },
  ),
  'registration_tokens.list': defineOperation(
    Type.Object({}),
    async ({ registrationTokenAdministration }) =>
      (await registrationTokenAdministration.list()).map(toWireToken),
  ),
  'registration_tokens.revoke': defineOperation(
    Type.Object({ id: Type.String() }),
    async ({ registrationTokenAdministration }, { id }) =>
      toWireToken(await registrationTokenAdministration.revoke(id, byCli)),
  ),
}
