import type { Act } from '../audit/act.ts'
import { Problem } from '../oauth/problem.ts'
import type { Revocations } from '../revocation/revocations.ts'
import { refuseMoreThan } from './role-administration.ts'
import type { RoleStore } from './role-store.ts'
import type { Session, SessionStore } from './session-store.ts'
import { isUuid, type User } from './user.ts'
import type { InitialPassword, NewAccount, UserAdministration } from './user-administration.ts'

/** A person who administers: what the account may do now, and how the audit log names the act. */
export type Administrator = { readonly permissions: readonly string[]; readonly act: Act }

/** What an administrator may have done to an account; each ends in the account as it is then. */
export type DelegatedAct =
  | 'disableUser'
  | 'enableUser'
  | 'unlockUser'
  | 'endSessions'
  | 'forcePasswordChange'
  | 'deleteUser'
  | 'restoreUser'

/**
 * Accounts as people administer them, who unlike the operator at the command line may have less
 * than every permission: they neither touch who is permitted more than they are, nor give what they
 * have not, nor harm their own account, nor leave the service without an administrator.
 * @throws {Problem} `not_found`, `permission_denied`, `own_account`, `last_admin`
 */
export type DelegatedAdministration = {
  show(userId: string): Promise<User>
  /** The password is made here and shown once; it must be changed within a day. */
  create(account: Omit<NewAccount, 'password'>, by: Administrator): Promise<InitialPassword>
  setInitialPassword(userId: string, by: Administrator): Promise<InitialPassword>
  perform(act: DelegatedAct, userId: string, by: Administrator): Promise<User>
  grantRole(userId: string, role: string, by: Administrator): Promise<User>
  revokeRole(userId: string, role: string, by: Administrator): Promise<User>
  /** Live ones, newest first. */
  listSessions(userId: string): Promise<Session[]>
  endSession(userId: string, sessionId: string, by: Administrator): Promise<void>
}

type Parts = {
  readonly administration: UserAdministration
  readonly roles: Pick<RoleStore, 'list'>
  readonly sessions: Pick<SessionStore, 'list' | 'end'>
  readonly revocations: Pick<Revocations, 'announce'>
}

export const createDelegatedAdministration = ({
  administration,
  roles,
  sessions,
  revocations,
}: Parts): DelegatedAdministration => {
  const show = async (userId: string): Promise<User> => {
    const user = isUuid(userId) ? await administration.findUser(userId) : undefined
    if (user === undefined) throw new Problem('not_found')
    return user
  }

  /** An account that is not the administrator's own, and may do no more. */
  const requireOther = async (userId: string, { permissions, act }: Administrator) => {
    const user = await show(userId)
    if (user.id === act.actor) throw new Problem('own_account')
    refuseMoreThan(permissions, user.permissions)
    return user
  }

  const refuseRoles = async (names: readonly string[], { permissions }: Administrator) => {
    const given = (await roles.list()).filter(({ name }) => names.includes(name))
    refuseMoreThan(
      permissions,
      given.flatMap((role) => role.permissions),
    )
  }

  return {
    show,

    async create(account, by) {
      await refuseRoles(account.roles ?? [], by)
      return administration.createWithInitialPassword(account, by.act)
    },

    async setInitialPassword(userId, by) {
      const { id } = await requireOther(userId, by)
      return administration.setInitialPassword(id, by.act)
    },

    async perform(name, userId, by) {
      const { id } = await requireOther(userId, by)
      return administration[name](id, by.act, 'keep_admin')
    },

    async grantRole(userId, role, by) {
      const { id, permissions } = await show(userId)
      refuseMoreThan(by.permissions, permissions)
      await refuseRoles([role], by)
      return administration.grantRole(id, role, by.act)
    },

    async revokeRole(userId, role, by) {
      const { id } = await requireOther(userId, by)
      return administration.revokeRole(id, role, by.act, 'keep_admin')
    },

    listSessions: async (userId) => sessions.list((await show(userId)).id, undefined),

    async endSession(userId, sessionId, by) {
      const { id } = await requireOther(userId, by)
      const ended = isUuid(sessionId) && (await sessions.end(id, sessionId, by.act))
      await revocations.announce()
      if (!ended) throw new Problem('not_found')
    },
  }
}
