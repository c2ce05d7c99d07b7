import { createOwnAccount, type OwnAccount, type OwnAccountParts } from './own-account.ts'
import { createOwnConsents, type OwnConsents, type OwnConsentsParts } from './own-consents.ts'
import { createOwnSessions, type OwnSessions, type OwnSessionsParts } from './own-sessions.ts'
import { createRegistration, type Registration, type RegistrationParts } from './registration.ts'
import { createSignIn, type SignIn, type SignInParts } from './sign-in.ts'

export type AccountParts = RegistrationParts &
  SignInParts &
  OwnAccountParts &
  OwnConsentsParts &
  OwnSessionsParts

/** All that people do with their own accounts, joined for the first-party API. */
export type Accounts = Registration &
  SignIn & {
    readonly ownAccount: OwnAccount
    readonly ownConsents: OwnConsents
    readonly ownSessions: OwnSessions
  }

export const createAccounts = (parts: AccountParts): Accounts => ({
  ...createRegistration(parts),
  ...createSignIn(parts),
  ownAccount: createOwnAccount(parts),
  ownConsents: createOwnConsents(parts),
  ownSessions: createOwnSessions(parts),
})
