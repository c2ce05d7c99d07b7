import type { Registration } from '../accounts/registration.ts'
import type { SignIn } from '../accounts/sign-in.ts'
import type { AuditWriter } from '../audit/writer.ts'
import type { ClientAuthenticator } from '../clients/authentication.ts'
import type { Grant } from '../grants/grant.ts'
import type { GrantTable } from '../grants/grant-table.ts'
import { OAuthError } from '../oauth/error.ts'
import { Problem } from '../oauth/problem.ts'
import { Unavailable } from '../oauth/unavailable.ts'
import type { Refresher } from '../tokens/refresher.ts'
import type { Count } from './metrics.ts'

// The same parts, with every outcome counted: none of them knows of metrics.

/** A thrown error as the outcome that is counted: a code of ours, or `error`. */
export const outcomeOf = (error: unknown): string => {
  if (error instanceof Unavailable) return 'unavailable'
  return error instanceof OAuthError || error instanceof Problem ? error.code : 'error'
}

/** Has `act` done and tells how it ended, also when it throws. */
const observe = async <T>(
  act: () => Promise<T>,
  describe: (result: T) => string,
  tell: (outcome: string) => void,
): Promise<T> => {
  try {
    const result = await act()
    tell(describe(result))
    return result
  } catch (error) {
    tell(outcomeOf(error))
    throw error
  }
}

export const observeRefresher = (refresher: Refresher, count: Count): Refresher => ({
  ...refresher,
  refresh: (request) =>
    observe(
      () => refresher.refresh(request),
      ({ outcome }) => outcome,
      (outcome) => count('refreshes', { outcome }),
    ),
})

export const observeClientAuthenticator = (
  authenticator: ClientAuthenticator,
  count: Count,
): ClientAuthenticator => ({
  authenticate: (request, origin) =>
    observe(
      () => authenticator.authenticate(request, origin),
      () => 'succeeded',
      (outcome) => count('clientAuthentications', { outcome }),
    ),
})

const observeGrant = (grant: Grant, count: Count): Grant => ({
  ...grant,
  authorize: (request, client) =>
    observe(
      () => grant.authorize(request, client),
      () => 'granted',
      (outcome) => count('grants', { grant_type: grant.grantType, outcome }),
    ),
})

export const observeGrants = (grants: GrantTable, count: Count): GrantTable => {
  const observed = Object.entries(grants).map(([name, grant]) => [name, observeGrant(grant, count)])
  return Object.fromEntries(observed)
}

export const observeAccounts = <A extends SignIn & Registration>(accounts: A, count: Count): A => {
  const signIn = <T>(act: () => Promise<T>) =>
    observe(
      act,
      (signedIn) => (signedIn === undefined ? 'failed' : 'succeeded'),
      (outcome) => count('signIns', { outcome }),
    )
  const register = <T>(act: () => Promise<T>) =>
    observe(
      act,
      () => 'succeeded',
      (outcome) => count('registrations', { outcome }),
    )
  return {
    ...accounts,
    signIn: (...given: Parameters<SignIn['signIn']>) => signIn(() => accounts.signIn(...given)),
    signInBrowser: (...given: Parameters<SignIn['signInBrowser']>) =>
      signIn(() => accounts.signInBrowser(...given)),
    register: (...given: Parameters<Registration['register']>) =>
      register(() => accounts.register(...given)),
    registerInBrowser: (...given: Parameters<Registration['registerInBrowser']>) =>
      register(() => accounts.registerInBrowser(...given)),
  }
}

/** @param auditWriter which lockouts are told to; all else passes through. */
export const countLockouts = (
  auditWriter: Pick<AuditWriter, 'record' | 'write'>,
  count: Count,
): Pick<AuditWriter, 'record' | 'write'> => ({
  ...auditWriter,
  record(event) {
    if (event.type === 'sign_in.locked') count('lockouts', { scope: String(event.details?.scope) })
    auditWriter.record(event)
  },
})
