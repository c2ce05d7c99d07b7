import type { Act } from '../audit/act.ts'
import { Problem } from '../oauth/problem.ts'
import type { Revocations } from '../revocation/revocations.ts'
import type { PasswordHasher } from '../secrets/password-hasher.ts'
import { randomId, randomToken } from '../secrets/random.ts'
import { checkProfile, type Profile, refuseInvalid, trimProfile } from './fields.ts'
import type { Lockout } from './lockout.ts'
import { toProfile } from './own-account.ts'
import { checkPasswordLength, refuseCommonPassword } from './password-policy.ts'
import { isUuid, toLoginName, type User } from './user.ts'
import {
  createUserAct,
  createUserLifecycleAdministration,
  refuseUnknown,
  type UserLifecycleAdministration,
} from './user-lifecycle-administration.ts'
import type { Safeguard, UserPage, UserStore } from './user-store.ts'

export type UserAdministrationParts = {
  readonly users: UserStore
  readonly hasher: PasswordHasher
  readonly revocations: Pick<Revocations, 'announce'>
  readonly lockout: Pick<Lockout, 'unlock'>
}

export type NewAccount = Profile & {
  readonly email: string
  /** Without one the account cannot sign in until it is given one. */
  readonly password?: string
  /** `user` by default. */
  readonly roles?: readonly string[]
}

/** An account, and the password for its first sign-in, which is shown this once. */
export type InitialPassword = { readonly user: User; readonly password: string }

/**
 * Accounts as an operator manages them. `name` is an id, an email address or a username. All but
 * the readings are audited and idempotent.
 * @throws {Problem} `not_found` for a name that no account has, `validation` for what cannot be
 */
export type UserAdministration = UserLifecycleAdministration & {
  createUser(account: NewAccount, act: Act): Promise<User>
  /** The password is good for a day, and for nothing but to be changed. */
  createWithInitialPassword(
    account: Omit<NewAccount, 'password'>,
    act: Act,
  ): Promise<InitialPassword>
  /** As for a new account, in place of a password that expired or is lost; ends all sessions. */
  setInitialPassword(name: string, act: Act): Promise<InitialPassword>
  findUser(name: string): Promise<User | undefined>
  /** In the order of folded email addresses, after the email of `page.after`. */
  listUsers(page: UserPage): Promise<User[]>
  /** Ends all sessions and families. */
  disableUser(name: string, act: Act, guard?: Safeguard): Promise<User>
  enableUser(name: string, act: Act): Promise<User>
  /** After too many failures: lets everybody try again to sign in. */
  unlockUser(name: string, act: Act): Promise<User>
  /** Ends all sessions and families. */
  setPassword(name: string, password: string, act: Act): Promise<User>
  grantRole(name: string, role: string, act: Act): Promise<User>
  revokeRole(name: string, role: string, act: Act, guard?: Safeguard): Promise<User>
}

export const createUserAdministration = (parts: UserAdministrationParts): UserAdministration => {
  const { users, hasher, revocations } = parts

  const findUser = async (name: string): Promise<User | undefined> => {
    const byId = isUuid(name) ? await users.find({ id: name }) : undefined
    return byId ?? users.find(toLoginName(name))
  }

  const requireUser = async (name: string): Promise<User> =>
    (await findUser(name)) ?? refuseUnknown(name)

  const requireRoles = async (names: readonly string[], field: string): Promise<void> => {
    const known = await users.roleNames()
    const message = `must be one of ${known.join(', ')}`
    refuseInvalid(names.every((name) => known.includes(name)) ? [] : [{ field, message }])
  }

  const act = createUserAct({ requireUser, revocations })

  const createUser = async (
    { password, roles = ['user'], ...stated }: NewAccount,
    by: Act,
    initialPasswordSeconds?: number,
  ): Promise<User> => {
    const profile = { ...trimProfile(stated), email: stated.email.trim() }
    refuseInvalid([...checkProfile(profile), ...checkPassword(password)])
    await requireRoles(roles, 'roles')
    if (password !== undefined) refuseCommonPassword(password, profile)
    const passwordHash = password === undefined ? null : await hasher.hash(password)
    const user = { ...profile, id: randomId(), passwordHash, roles }
    const created = await users.create(
      initialPasswordSeconds === undefined ? user : { ...user, initialPasswordSeconds },
      by,
    )
    if (typeof created === 'string') throw new Problem(created)
    return created
  }

  return {
    findUser,
    listUsers: (page) => users.list(page),

    ...createUserLifecycleAdministration({ users, revocations, requireUser }),
    createUser: (account, by) => createUser(account, by),

    async createWithInitialPassword(account, by) {
      const password = createInitialPassword()
      const user = await createUser({ ...account, password }, by, initialPasswordSeconds)
      return { user, password }
    },

    disableUser: (name, by, guard) => act(name, (id) => users.disable(id, by, guard)),
    enableUser: (name, by) => act(name, (id) => users.enable(id, by)),

    async unlockUser(name, by) {
      const user = await requireUser(name)
      await parts.lockout.unlock(user, by)
      return user
    },

    async setPassword(name, password, by) {
      refuseInvalid(checkPassword(password))
      refuseCommonPassword(password, toProfile(await requireUser(name)))
      const passwordHash = await hasher.hash(password)
      return act(name, (id) => users.setPassword(id, passwordHash, by))
    },

    async setInitialPassword(name, by) {
      const password = createInitialPassword()
      const hash = await hasher.hash(password)
      const user = await act(name, (id) =>
        users.setInitialPassword(id, hash, initialPasswordSeconds, by),
      )
      return { user, password }
    },

    async grantRole(name, role, by) {
      await requireRoles([role], 'role')
      return act(name, (id) => users.grantRole(id, role, by))
    },

    async revokeRole(name, role, by, guard) {
      await requireRoles([role], 'role')
      return act(name, (id) => users.revokeRole(id, role, by, guard))
    },
  }
}

/** How long the password of an account that somebody else made is good (ASVS 5.0 6.4.1). */
export const initialPasswordSeconds = 86_400

/** 18 random bytes: nobody guesses it, and it can be typed. */
export const createInitialPassword = (): string => randomToken(18)

const checkPassword = (password: string | undefined) =>
  password === undefined ? [] : checkPasswordLength(password, 'password')
