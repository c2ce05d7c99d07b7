import type { MacKeys } from '../secrets/refresh-token.ts'
import { createOwnAccount, type OwnAccount } from './own-account.ts'
import { createOwnSessions, type OwnSessions } from './own-sessions.ts'
import { createRegistration, type Registration, type RegistrationParts } from './registration.ts'
import { createSignIn, type SignIn, type SignInParts } from './sign-in.ts'
import { createUserAdministration, type UserAdministration } from './user-administration.ts'

export type AccountParts = SignInParts & RegistrationParts & { readonly macKeys: MacKeys }

/** All that happens to accounts, joined: what the first-party API and the command line call. */
export type Accounts = {
  readonly registration: Registration
  readonly signIn: SignIn
  readonly ownAccount: OwnAccount
  readonly ownSessions: OwnSessions
  readonly administration: UserAdministration
}

export const createAccounts = (parts: AccountParts): Accounts => ({
  registration: createRegistration(parts),
  signIn: createSignIn(parts),
  ownAccount: createOwnAccount(parts),
  ownSessions: createOwnSessions(parts),
  administration: createUserAdministration(parts),
})
