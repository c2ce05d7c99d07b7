import type { Origin } from '../audit/event.ts'
import type { AuditWriter } from '../audit/writer.ts'
import { Unavailable } from '../oauth/unavailable.ts'
import type { Revocations } from '../revocation/revocations.ts'
import type { PasswordHasher } from '../secrets/password-hasher.ts'
import type { FamilyStarter } from '../tokens/family-start.ts'
import type { TokenIssuer } from '../tokens/issuer.ts'
import type { Lockout } from './lockout.ts'
import { maskName } from './name-mask.ts'
import { type PasswordVerdict, verifyPassword } from './password-verification.ts'
import {
  type BrowserSignedIn,
  type PreparedSession,
  prepareBrowserSession,
  prepareSession,
  type SessionConfig,
  type SignedIn,
} from './session-start.ts'
import type { SessionStore } from './session-store.ts'
import type { LoginName } from './user.ts'
import type { UserStore } from './user-store.ts'

export type SignInParts = {
  readonly config: SessionConfig
  readonly users: UserStore
  readonly sessions: SessionStore
  readonly hasher: PasswordHasher
  readonly familyStarter: FamilyStarter
  readonly issuer: TokenIssuer
  readonly auditWriter: AuditWriter
  readonly revocations: Pick<Revocations, 'announce'>
  readonly lockout: Pick<Lockout, 'guard'>
}

export type SignIn = {
  /**
   * Opens a session for who knows the password.
   * @returns undefined when the name or the password is wrong or the account is disabled: to the
   *   caller these are one, in content and in time.
   * @param device a known device of the account, which has attempts of its own
   * @throws {Unavailable} when too many passwords wait to be hashed.
   * @throws {Problem} `too_many_attempts`, whether or not the account exists.
   */
  signIn(
    name: LoginName,
    password: string,
    origin: Origin,
    device?: string,
  ): Promise<SignedIn | undefined>
  /**
   * As `signIn`, but for a browser: its session has no tokens of its own.
   * @param browser the known device, and secrets of the sessions that it has so far
   */
  signInBrowser(
    name: LoginName,
    password: string,
    origin: Origin,
    browser: { readonly device: string | undefined; readonly kept: readonly string[] },
  ): Promise<BrowserSignedIn | undefined>
}

type Attempt = {
  readonly name: LoginName
  readonly password: string
  readonly origin: Origin
  readonly device: string | undefined
}

export const createSignIn = (parts: SignInParts): SignIn => {
  const open = async <Made>(
    { name, password, origin, device }: Attempt,
    prepare: (userId: string) => PreparedSession<Made>,
  ): Promise<Made | undefined> => {
    // For everybody alike, before anything is counted or looked up.
    parts.hasher.requireRoom()
    const verdict = await parts.lockout.guard({ account: name, origin, device }, () =>
      verifyPassword(parts, name, password),
    )
    if (!verdict.ok) {
      recordFailure(parts.auditWriter, name, verdict, origin)
      return undefined
    }
    const { userId, credentialEpoch, passwordHash } = verdict.credentials
    const rehash = await renewHash(parts.hasher, passwordHash, password)
    const { session, complete } = prepare(userId)
    const opened = await parts.sessions.signIn(
      { userId, credentialEpoch, ...(rehash && { rehash }) },
      session,
      { actor: userId, origin },
    )
    if (opened === undefined) {
      recordFailure(parts.auditWriter, name, { reason: 'changed_meanwhile', userId }, origin)
      return undefined
    }
    if (opened.endedSessions > 0) await parts.revocations.announce()
    return complete(opened)
  }

  return {
    signIn: (name, password, origin, device) =>
      open({ name, password, origin, device }, (userId) => prepareSession(parts, userId)),
    signInBrowser: (name, password, origin, { device, kept }) =>
      open({ name, password, origin, device }, () => prepareBrowserSession(parts, kept)),
  }
}

/** A hash at the present cost; none when the old one is of that cost, or nobody has time for it. */
const renewHash = async (hasher: PasswordHasher, from: string, password: string) => {
  if (!hasher.needsRehash(from)) return undefined
  try {
    return { from, to: await hasher.hash(password) }
  } catch (error) {
    if (error instanceof Unavailable) return undefined
    throw error
  }
}

type Failure = {
  readonly reason: (PasswordVerdict & { ok: false })['reason'] | 'changed_meanwhile'
  readonly userId: string | undefined
}

const recordFailure = (
  auditWriter: AuditWriter,
  name: LoginName,
  { reason, userId }: Failure,
  origin: Origin,
): void => {
  const typed = 'email' in name ? name.email : name.username
  auditWriter.record({
    type: 'sign_in.failed',
    outcome: 'failure',
    ...(userId === undefined ? {} : { subject: userId }),
    details: { reason, name: maskName(typed) },
    origin,
  })
}
