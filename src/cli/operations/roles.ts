import { Type } from 'typebox'
import type { Role } from '../../accounts/role.ts'
import { byCli, defineOperation } from './operation.ts'

const roleToJson = ({ name, permissions, builtIn }: Role) => ({
  name,
  permissions: [...permissions],
  built_in: builtIn,
})

/** Who has the command line has the database: everything is permitted. */
const held = ['admin']

export const roleOperations = {
  'roles.list': defineOperation(Type.Object({}), async ({ roleAdministration }) =>
    (await roleAdministration.listRoles()).map(roleToJson),
  ),
  'roles.set': defineOperation(
    Type.Object({ name: Type.String(), permissions: Type.Array(Type.String()) }),
    async ({ roleAdministration }, role) =>
      roleToJson(await roleAdministration.setRole(role, byCli, held)),
  ),
  'roles.delete': defineOperation(
    Type.Object({ name: Type.String() }),
    async ({ roleAdministration }, { name }) => {
      await roleAdministration.deleteRole(name, byCli, held)
      return { deleted: name }
    },
  ),
}
