import type { AuditEventType } from '../audit/catalogue.ts'
import type { Origin } from '../audit/event.ts'
import type { AuditWriter } from '../audit/writer.ts'
import { Problem } from '../oauth/problem.ts'
import type { Revocations } from '../revocation/revocations.ts'
import type { PasswordHasher } from '../secrets/password-hasher.ts'
import { checkProfile, type Profile, refuseInvalid, trimProfile } from './fields.ts'
import type { Lockout } from './lockout.ts'
import { checkPasswordLength, refuseCommonPassword } from './password-policy.ts'
import { verifyPassword } from './password-verification.ts'
import type { SessionConfig } from './session-start.ts'
import { firstPartyGrant } from './sign-in-grant.ts'
import type { User } from './user.ts'
import type { UserStore } from './user-store.ts'

export type OwnAccountParts = {
  readonly config: SessionConfig
  readonly users: UserStore
  readonly hasher: PasswordHasher
  readonly auditWriter: AuditWriter
  readonly revocations: Pick<Revocations, 'announce'>
  readonly lockout: Pick<Lockout, 'guard'>
}

/** The signed-in user who acts. */
export type Self = { readonly userId: string; readonly sessionId: string | undefined }

export type OwnAccount = {
  /** @throws {Problem} `revoked_token` when the account is gone or disabled. */
  show(self: Self): Promise<User>
  /**
   * Changes what is stated. Email and username need the current password (ASVS 5.0 7.5.1).
   * @throws {Problem} `validation`, `wrong_password`, `email_taken`, `username_taken`,
   *   `too_many_attempts`, `revoked_token`
   */
  update(
    self: Self,
    profile: Profile,
    currentPassword: string | undefined,
    origin: Origin,
  ): Promise<User>
  /**
   * Replaces the password, and ends the user's other sessions and all families outside this one.
   * @throws {Problem} `validation`, `password_too_common`, `wrong_password`, `too_many_attempts`
   */
  changePassword(
    self: Self,
    passwords: { readonly current: string; readonly next: string },
    origin: Origin,
  ): Promise<void>
}

export const createOwnAccount = (parts: OwnAccountParts): OwnAccount => {
  const prove = async (
    { userId }: Self,
    password: string,
    origin: Origin,
    failure: AuditEventType,
  ): Promise<{ readonly credentialEpoch: number }> => {
    const account = { id: userId }
    const verdict = await parts.lockout.guard({ account, origin }, () =>
      verifyPassword(parts, account, password),
    )
    if (verdict.ok) return verdict.credentials
    const { reason } = verdict
    parts.auditWriter.record({
      type: failure,
      outcome: 'failure',
      actor: userId,
      subject: userId,
      details: { reason },
      origin,
    })
    throw new Problem('wrong_password')
  }

  const show = async ({ userId }: Self): Promise<User> => {
    const user = await parts.users.find({ id: userId })
    if (user?.status !== 'active') throw new Problem('revoked_token')
    return user
  }

  return {
    show,

    async update(self, stated, currentPassword, origin) {
      const profile = trimProfile(stated)
      refuseInvalid([...checkProfile(profile), ...checkProof(profile, currentPassword)])
      const proof =
        currentPassword === undefined
          ? undefined
          : await prove(self, currentPassword, origin, 'user.update_failed')
      if (Object.keys(profile).length === 0) return show(self)
      const { userId } = self
      const act = { actor: userId, origin }
      const updated = await parts.users.update(userId, profile, proof?.credentialEpoch, act)
      if (typeof updated === 'string') throw new Problem(updated)
      if (updated === undefined) throw new Problem(proof ? 'wrong_password' : 'revoked_token')
      return updated
    },

    async changePassword(self, { current, next }, origin) {
      refuseInvalid(checkNewPassword(current, next))
      refuseCommonPassword(next, toProfile(await show(self)))
      const { userId, sessionId } = self
      const { credentialEpoch } = await prove(self, current, origin, 'user.password_change_failed')
      const passwordHash = await parts.hasher.hash(next)
      const changed = await parts.users.changePassword(
        {
          ...{ userId, passwordHash, credentialEpoch, keptSessionId: sessionId },
          grantOf: firstPartyGrant(parts.config),
        },
        { actor: userId, origin },
      )
      if (!changed) throw new Problem('wrong_password')
      await parts.revocations.announce()
    },
  }
}

const checkProof = (profile: Profile, currentPassword: string | undefined) =>
  (profile.email !== undefined || profile.username !== undefined) && currentPassword === undefined
    ? [{ field: 'current_password', message: 'is needed to change the email or the username' }]
    : []

const checkNewPassword = (current: string, next: string) =>
  current === next
    ? [{ field: 'new_password', message: 'must differ from the current password' }]
    : checkPasswordLength(next, 'new_password')

/** What the service knows of a user by name. */
export const toProfile = ({ email, username, name, givenName, familyName }: User): Profile => ({
  email,
  username,
  name,
  givenName,
  familyName,
})
