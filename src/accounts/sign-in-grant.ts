import { firstPartyAudienceOf } from '../clients/first-party.ts'
import type { Config } from '../config.ts'
import { passwordScope, permittedScope } from '../oauth/own-scope.ts'
import type { NewFamily } from '../tokens/new-family.ts'
import type { User } from './user.ts'

/** What the family of a sign-in may do, and where, by what the user may do at that moment. */
export type GrantOf = (
  user: Pick<User, 'permissions' | 'mustChangePassword'>,
) => Pick<NewFamily, 'scope' | 'audience'>

/**
 * What a first-party sign-in may do: everything of the own API that the person may, everywhere; but
 * nothing, and nowhere else, than to change a password that must be changed.
 */
export const firstPartyGrant =
  (config: Pick<Config, 'issuer' | 'defaultAudience'>): GrantOf =>
  ({ permissions, mustChangePassword }) => {
    const scope = mustChangePassword
      ? passwordScope
      : permittedScope(['account', 'admin'], permissions)
    return { scope, audience: firstPartyAudienceOf(config)(scope) }
  }
