import type { Origin } from '../audit/event.ts'
import type { Config } from '../config.ts'
import { Problem } from '../oauth/problem.ts'
import type { PasswordHasher } from '../secrets/password-hasher.ts'
import { randomId } from '../secrets/random.ts'
import type { FamilyStarter } from '../tokens/family-start.ts'
import type { TokenIssuer } from '../tokens/issuer.ts'
import { checkProfile, type Profile, refuseInvalid, trimProfile } from './fields.ts'
import { checkPasswordLength, refuseCommonPassword } from './password-policy.ts'
import {
  type BrowserSignedIn,
  type PreparedSession,
  prepareBrowserSession,
  prepareSession,
  type SessionConfig,
  type SignedIn,
} from './session-start.ts'
import type { SessionStore } from './session-store.ts'

export type RegistrationParts = {
  readonly config: SessionConfig & Pick<Config, 'registration'>
  readonly sessions: SessionStore
  readonly hasher: PasswordHasher
  readonly familyStarter: FamilyStarter
  readonly issuer: TokenIssuer
}

export type RegistrationRequest = Profile & {
  readonly email: string
  readonly password: string
}

export type Registration = {
  /**
   * Creates an account and signs it in.
   * @throws {Problem} `registration_closed`, `validation`, `password_too_common`, `email_taken`,
   *   `username_taken`
   */
  register(request: RegistrationRequest, origin: Origin): Promise<SignedIn>
  /** The same for a browser. @param kept secrets of the sessions that it has so far */
  registerInBrowser(
    request: RegistrationRequest,
    origin: Origin,
    kept: readonly string[],
  ): Promise<BrowserSignedIn>
}

export const createRegistration = (parts: RegistrationParts): Registration => {
  const open = async <Made>(
    { password, ...stated }: RegistrationRequest,
    origin: Origin,
    prepare: (userId: string) => PreparedSession<Made>,
  ): Promise<Made> => {
    if (parts.config.registration === 'closed') throw new Problem('registration_closed')
    const profile = { ...trimProfile(stated), email: stated.email.trim() }
    refuseInvalid([...checkProfile(profile), ...checkPasswordLength(password, 'password')])
    refuseCommonPassword(password, profile)
    // Before the names are tried, so that a taken one takes as long as a free one.
    const passwordHash = await parts.hasher.hash(password)
    const id = randomId()
    const { session, complete } = prepare(id)
    const user = { ...profile, id, passwordHash, roles: ['user'] }
    const opened = await parts.sessions.register(user, session, { actor: id, origin })
    if (typeof opened === 'string') throw new Problem(opened)
    return complete(opened)
  }

  return {
    register: (request, origin) => open(request, origin, (userId) => prepareSession(parts, userId)),
    registerInBrowser: (request, origin, kept) =>
      open(request, origin, () => prepareBrowserSession(parts, kept)),
  }
}
