import { createOwnAccount, type OwnAccount, type OwnAccountParts } from './own-account.ts'
import { createOwnSessions, type OwnSessions, type OwnSessionsParts } from './own-sessions.ts'
import { createRegistration, type Registration, type RegistrationParts } from './registration.ts'
import { createSignIn, type SignIn, type SignInParts } from './sign-in.ts'

export type AccountParts = RegistrationParts & SignInParts & OwnAccountParts & OwnSessionsParts

/** All that people do with their own accounts, joined for the first-party API. */
export type Accounts = Registration &
  SignIn & { readonly ownAccount: OwnAccount; readonly ownSessions: OwnSessions }

export const createAccounts = (parts: AccountParts): Accounts => ({
  ...createRegistration(parts),
  ...createSignIn(parts),
  ownAccount: createOwnAccount(parts),
  ownSessions: createOwnSessions(parts),
})
