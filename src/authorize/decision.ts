import type { BrowserSession } from '../accounts/browser-session.ts'
import type { Consent } from '../accounts/consents.ts'
import { isSubset } from '../oauth/scope.ts'
import type { AuthorizationRequest } from './authorization-request.ts'

/** All that the next step depends on. Times are the database's. */
export type Situation = {
  readonly request: Pick<AuthorizationRequest, 'prompt' | 'maxAge' | 'hintedSubject' | 'loginHint'>
  /** When the request arrived; undefined: at this moment, so that nothing has been done for it. */
  readonly createdAt: Date | undefined
  readonly now: Date
  /** Those of the browser, the last authentication first. */
  readonly sessions: readonly BrowserSession[]
  /** The session that the user picked for this request. */
  readonly chosen: string | null
}

/** Who answers, or what stands against an answer. */
export type Selection =
  | { readonly kind: 'session'; readonly session: BrowserSession }
  | { readonly kind: 'page'; readonly page: 'sign_in' | 'accounts' }
  | { readonly kind: 'error'; readonly code: 'login_required' | 'account_selection_required' }

/**
 * Which of the browser's sessions answers a request (OpenID Connect Core §3.1.2.3). Pure and total.
 * What was demanded is met by what has happened since the request arrived, never by a mark that it
 * was met.
 */
export const selectSession = (situation: Situation): Selection => {
  const selection = select(situation)
  if (selection.kind !== 'page' || !situation.request.prompt.includes('none')) return selection
  return { kind: 'error', code: silentErrors[selection.page] }
}

const silentErrors = {
  sign_in: 'login_required',
  accounts: 'account_selection_required',
} as const

const signIn: Selection = { kind: 'page', page: 'sign_in' }

const select = (situation: Situation): Selection => {
  const { request, sessions } = situation
  const { hintedSubject } = request
  const fitting = sessions.filter(({ userId }) => [userId, undefined].includes(hintedSubject))
  if (fitting.length === 0) {
    // Somebody has signed in for it, but not the one who is meant.
    return sessions.some((session) => isNew(situation, session))
      ? { kind: 'error', code: 'login_required' }
      : signIn
  }
  const session = pick(situation, fitting)
  if (session === undefined) return { kind: 'page', page: 'accounts' }
  return isFresh(situation, session) ? { kind: 'session', session } : signIn
}

const pick = (
  situation: Situation,
  sessions: readonly BrowserSession[],
): BrowserSession | undefined => {
  const { request, chosen } = situation
  const picked = sessions.find(({ id }) => id === chosen)
  if (picked !== undefined) return picked
  // Who signed in for this request has picked the account.
  const [latest, other] = sessions
  if (latest !== undefined && isNew(situation, latest)) return latest
  if (request.prompt.includes('select_account')) return undefined
  const hint = request.loginHint?.toLowerCase()
  const hinted = sessions.find(({ email }) => email.toLowerCase() === hint)
  if (hinted !== undefined) return hinted
  return other === undefined ? latest : undefined
}

const isNew = ({ createdAt }: Situation, { authTime }: BrowserSession): boolean =>
  createdAt !== undefined && authTime >= createdAt

const isFresh = (situation: Situation, session: BrowserSession): boolean => {
  if (isNew(situation, session)) return true
  const { prompt, maxAge } = situation.request
  if (prompt.includes('login')) return false
  return (
    maxAge === undefined || situation.now.getTime() - session.authTime.getTime() < maxAge * 1000
  )
}

type Wish = {
  readonly request: Pick<AuthorizationRequest, 'prompt' | 'scope' | 'authorizationDetails'>
  /** What tokens are for when the request does not say. */
  readonly audience: readonly string[]
  readonly policy: 'remember' | 'always' | 'skip'
  readonly createdAt: Date | undefined
  readonly consent: Consent | undefined
}

/** Whether the user must be asked (OpenID Connect Core §3.1.2.4). Pure and total. */
export const needsConsent = ({ request, audience, policy, createdAt, consent }: Wish): boolean => {
  const isRenewed =
    consent !== undefined && createdAt !== undefined && consent.grantedAt >= createdAt
  if (request.prompt.includes('consent')) return !isRenewed || !covers(consent, request, audience)
  if (policy === 'skip') return false
  if (policy === 'always' && !isRenewed) return true
  return consent === undefined || !covers(consent, request, audience)
}

const covers = (
  consent: Consent,
  { scope, authorizationDetails = [] }: Wish['request'],
  audience: readonly string[],
): boolean =>
  isSubset(scope, consent.scope) &&
  isSubset(audience, consent.audience) &&
  isSubset(authorizationDetails.map(toText), consent.authorizationDetails.map(toText))

// Members in one order, whichever way they went through the database.
const toText = (value: unknown): string =>
  JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  )
