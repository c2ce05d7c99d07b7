import { Type } from 'typebox'
import type { User } from '../../accounts/user.ts'
import { Problem } from '../../oauth/problem.ts'
import { byCli, defineOperation, toTimestamp } from './operation.ts'

const optionalText = Type.Optional(Type.String())
const user = Type.Object({ user: Type.String() })
const userAndRole = Type.Object({ user: Type.String(), role: Type.String() })
const userAndPassword = Type.Object({ user: Type.String(), password: Type.String() })

const userToJson = (user: User) => ({
  id: user.id,
  email: user.email,
  username: user.username,
  name: user.name,
  given_name: user.givenName,
  family_name: user.familyName,
  roles: [...user.roles],
  permissions: [...user.permissions],
  status: user.status,
  created_at: toTimestamp(user.createdAt),
  updated_at: toTimestamp(user.updatedAt),
  last_login_at: toTimestamp(user.lastLoginAt),
})

const unknownUser = (name: string): Problem =>
  new Problem('not_found', { detail: `There is no user ${JSON.stringify(name)}` })

const outOfReach = (): Problem =>
  new Problem('conflict', {
    detail:
      'Without REDIS_URL each process of the service counts by itself, out of reach from here: unlock by POST /admin/users/:id/unlock',
  })

export const userOperations = {
  'users.create': defineOperation(
    Type.Object({
      email: Type.String(),
      username: optionalText,
      name: optionalText,
      givenName: optionalText,
      familyName: optionalText,
      password: Type.String(),
      roles: Type.Optional(Type.Array(Type.String())),
    }),
    async ({ userAdministration }, account) =>
      userToJson(await userAdministration.createUser(account, byCli)),
  ),
  'users.list': defineOperation(
    Type.Object({ after: optionalText, limit: Type.Integer({ minimum: 1, maximum: 1000 }) }),
    async ({ userAdministration }, page) =>
      (await userAdministration.listUsers(page)).map(userToJson),
  ),
  'users.show': defineOperation(user, async ({ userAdministration }, { user }) => {
    const found = await userAdministration.findUser(user)
    if (found === undefined) throw unknownUser(user)
    return userToJson(found)
  }),
  'users.disable': defineOperation(user, async ({ userAdministration }, { user }) =>
    userToJson(await userAdministration.disableUser(user, byCli)),
  ),
  'users.enable': defineOperation(user, async ({ userAdministration }, { user }) =>
    userToJson(await userAdministration.enableUser(user, byCli)),
  ),
  'users.unlock': defineOperation(user, async ({ userAdministration, mode, config }, { user }) => {
    if (mode === 'server' && config.redisServers === undefined) throw outOfReach()
    return userToJson(await userAdministration.unlockUser(user, byCli))
  }),
  'users.end_sessions': defineOperation(user, async ({ userAdministration }, { user }) =>
    userToJson(await userAdministration.endSessions(user, byCli)),
  ),
  'users.force_password_change': defineOperation(user, async ({ userAdministration }, { user }) =>
    userToJson(await userAdministration.forcePasswordChange(user, byCli)),
  ),
  'users.delete': defineOperation(user, async ({ userAdministration }, { user }) =>
    userToJson(await userAdministration.deleteUser(user, byCli)),
  ),
  'users.restore': defineOperation(user, async ({ userAdministration }, { user }) =>
    userToJson(await userAdministration.restoreUser(user, byCli)),
  ),
  'users.set_password': defineOperation(
    userAndPassword,
    async ({ userAdministration }, { user, password }) =>
      userToJson(await userAdministration.setPassword(user, password, byCli)),
  ),
  'users.grant_role': defineOperation(userAndRole, async ({ userAdministration }, input) =>
    userToJson(await userAdministration.grantRole(input.user, input.role, byCli)),
  ),
  'users.revoke_role': defineOperation(userAndRole, async ({ userAdministration }, input) =>
    userToJson(await userAdministration.revokeRole(input.user, input.role, byCli)),
  ),
}
