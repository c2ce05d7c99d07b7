import { Type } from 'typebox'
import { byCli, defineOperation } from './operation.ts'

export const detailsTypeOperations = {
  'authorization-details-types.list': defineOperation(
    Type.Object({}),
    async ({ detailsTypeAdministration }) => detailsTypeAdministration.list(),
  ),
  'authorization-details-types.set': defineOperation(
    Type.Object({ type: Type.String(), description: Type.String(), schema: Type.Unknown() }),
    async ({ detailsTypeAdministration }, input) => detailsTypeAdministration.set(input, byCli),
  ),
  'authorization-details-types.remove': defineOperation(
    Type.Object({ type: Type.String() }),
    async ({ detailsTypeAdministration }, { type }) => {
      await detailsTypeAdministration.remove(type, byCli)
      return { removed: type }
    },
  ),
}
