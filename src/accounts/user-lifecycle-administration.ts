import type { Act } from '../audit/act.ts'
import { Problem } from '../oauth/problem.ts'
import type { Revocations } from '../revocation/revocations.ts'
import type { User } from './user.ts'
import type { Changed, FoundUsers, Safeguard, UserSearch, UserStore } from './user-store.ts'

/**
 * The end of accounts, and of what they are signed in with. `name` is an id, an email address or a
 * username. All but the search are audited and idempotent.
 * @throws {Problem} `not_found`; `last_admin` where the safeguard is asked for
 */
export type UserLifecycleAdministration = {
  searchUsers(search: UserSearch): Promise<FoundUsers>
  endSessions(name: string, act: Act): Promise<User>
  /** Ends all sessions; until the password is changed, a sign-in permits nothing else. */
  forcePasswordChange(name: string, act: Act): Promise<User>
  /** Ends all sessions. The account can be restored until it is purged; its names stay taken. */
  deleteUser(name: string, act: Act, guard?: Safeguard): Promise<User>
  /** The account is disabled then: to let the person in again is an act of its own. */
  restoreUser(name: string, act: Act): Promise<User>
}

type Parts = {
  readonly users: UserStore
  readonly revocations: Pick<Revocations, 'announce'>
  readonly requireUser: (name: string) => Promise<User>
}

/** Carries out a change of one account, and tells every node before it is answered. */
export const createUserAct =
  ({ requireUser, revocations }: Omit<Parts, 'users'>) =>
  async (name: string, change: (userId: string) => Promise<Changed>): Promise<User> => {
    const { id } = await requireUser(name)
    const changed = await change(id)
    await revocations.announce()
    if (changed === 'last_admin') throw new Problem('last_admin')
    return changed ?? refuseUnknown(name)
  }

export const createUserLifecycleAdministration = (parts: Parts): UserLifecycleAdministration => {
  const { users } = parts
  const act = createUserAct(parts)
  return {
    searchUsers: (search) => users.search(search),
    endSessions: (name, by) => act(name, (id) => users.endSessions(id, by)),
    forcePasswordChange: (name, by) => act(name, (id) => users.forcePasswordChange(id, by)),
    deleteUser: (name, by, guard) => act(name, (id) => users.delete(id, by, guard)),
    restoreUser: (name, by) => act(name, (id) => users.restore(id, by)),
  }
}

/** @throws {Problem} `not_found` */
export const refuseUnknown = (name: string): never => {
  throw new Problem('not_found', { detail: `There is no user ${JSON.stringify(name)}` })
}
