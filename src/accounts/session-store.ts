import type { Act } from '../audit/act.ts'
import type { Scope } from '../oauth/scope.ts'
import type { NewFamily } from '../tokens/new-family.ts'
import type { BrowserSession } from './browser-session.ts'
import type { GrantOf } from './sign-in-grant.ts'
import type { User } from './user.ts'
import type { NameTaken, NewUser } from './user-store.ts'

/** A sign-in of a user on one device, which ends with all its families. */
export type Session = {
  /** UUID; `sid` in tokens. */
  readonly id: string
  readonly userAgent: string | null
  readonly address: string | null
  readonly amr: readonly string[]
  readonly createdAt: Date
  /** The last use of any of its families. */
  readonly lastSeenAt: Date
  readonly expiresAt: Date
}

/** A session about to be stored. Times are the database's. */
type SessionFrame = {
  readonly id: string
  readonly amr: readonly string[]
  readonly ttlSeconds: number
  /** Live sessions that a user may have; the oldest ones beyond are ended. */
  readonly limit: number
}

/** One that begins with a family of our own API. */
export type NewSession = SessionFrame & { readonly family: NewFamily; readonly grantOf: GrantOf }

/** One of a browser, which has no tokens until a client asks for some. */
export type NewBrowserSession = SessionFrame & {
  readonly cookieDigest: Buffer
  /**
   * Of what the browser has kept so far. The user's own session among these goes on under the new
   * secret, so that what clients have of it lives on (ASVS 5.0 7.2.4).
   */
  readonly keptDigests: readonly Buffer[]
}

/** What was stored, as tokens are made of it. */
export type OpenedSession = {
  /** Not the new one's where a session of the browser goes on. */
  readonly sessionId: string
  readonly user: User
  /** Of the first family; a browser's session has none. */
  readonly scope: Scope
  readonly audience: readonly string[]
  /** The database's time: `auth_time` and `iat`. */
  readonly now: Date
  readonly expiresAt: Date
  /** Older sessions that had to make room. */
  readonly endedSessions: number
}

export type SignInProof = {
  readonly userId: string
  /** The one that the password was verified against. */
  readonly credentialEpoch: number
  /** Replaces the hash that was verified, unless that has changed since. */
  readonly rehash?: { readonly from: string; readonly to: string }
}

/** Sessions. Every change is one transaction with its audit events and revocation entries. */
export type SessionStore = {
  /** Creates a user together with the first session. */
  register(
    user: NewUser,
    session: NewSession | NewBrowserSession,
    act: Act,
  ): Promise<OpenedSession | NameTaken>
  /** @returns undefined when the user is gone, disabled, or has another password by now. */
  signIn(
    proof: SignInProof,
    session: NewSession | NewBrowserSession,
    act: Act,
  ): Promise<OpenedSession | undefined>
  /**
   * Live sessions of a browser, the last authentication first, of users who may act; that they were
   * seen is noted.
   * @param idleSeconds how long a session may go unseen
   */
  findOfBrowser(cookieDigests: readonly Buffer[], idleSeconds: number): Promise<BrowserSession[]>
  /** Live ones, newest first; `currentId` even when nothing can refresh it any more. */
  list(userId: string, currentId: string | undefined): Promise<Session[]>
  /** Ends one session with its families. @returns false when the user has no such live session. */
  end(userId: string, sessionId: string, act: Act): Promise<boolean>
  /** Ends all sessions and all families, offline ones too. */
  endAll(userId: string, act: Act): Promise<void>
}
