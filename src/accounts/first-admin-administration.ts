import type { Act } from '../audit/act.ts'
import type { PasswordHasher } from '../secrets/password-hasher.ts'
import { randomId } from '../secrets/random.ts'
import { checkProfile, refuseInvalid, trimProfile } from './fields.ts'
import { createInitialPassword, initialPasswordSeconds } from './user-administration.ts'
import type { UserStore } from './user-store.ts'

/** What came of it: who can sign in with what, once; or why nothing was made. */
export type FirstAdmin =
  | { readonly outcome: 'created'; readonly email: string; readonly password: string }
  | { readonly outcome: 'has_admin' | 'email_taken' }

/**
 * Makes the first administrator, unless an account has the role already. An account that has the
 * address but not the role is left as it is: whoever registered it first has proved nothing.
 * @throws {Problem} `validation`
 */
export type FirstAdminAdministration = {
  ensureFirstAdmin(email: string, act: Act): Promise<FirstAdmin>
}

type Parts = {
  readonly users: Pick<UserStore, 'hasAdmin' | 'createFirstAdmin'>
  readonly hasher: PasswordHasher
}

export const createFirstAdminAdministration = ({
  users,
  hasher,
}: Parts): FirstAdminAdministration => ({
  async ensureFirstAdmin(address, act) {
    if (await users.hasAdmin()) return { outcome: 'has_admin' }
    const { email = '' } = trimProfile({ email: address })
    refuseInvalid(checkProfile({ email }))
    const password = createInitialPassword()
    const passwordHash = await hasher.hash(password)
    const user = { email, id: randomId(), passwordHash, roles: ['admin', 'user'] }
    const created = await users.createFirstAdmin({ ...user, initialPasswordSeconds }, act)
    if (created === 'has_admin') return { outcome: created }
    return typeof created === 'string'
      ? { outcome: 'email_taken' }
      : { outcome: 'created', email, password }
  },
})
