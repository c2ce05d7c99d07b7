import type { PasswordHasher } from '../secrets/password-hasher.ts'
import type { UserReference } from './user.ts'
import type { Credentials, UserStore } from './user-store.ts'

export type PasswordVerdict =
  | { readonly ok: true; readonly credentials: Credentials & { readonly passwordHash: string } }
  | {
      readonly ok: false
      /** For the audit log only: outside, all are one. */
      readonly reason: 'unknown_user' | 'wrong_password' | 'disabled'
      readonly userId: string | undefined
    }

/**
 * Checks a password. An unknown user, a wrong password and a disabled user take the same work: one
 * hash, computed against a dummy where there is none (ASVS 5.0 6.3.8).
 */
export const verifyPassword = async (
  { users, hasher }: { users: Pick<UserStore, 'findCredentials'>; hasher: PasswordHasher },
  reference: UserReference,
  password: string,
): Promise<PasswordVerdict> => {
  const credentials = await users.findCredentials(reference)
  const passwordHash = credentials?.passwordHash ?? null
  const matches = await hasher.verify(passwordHash, password)
  if (credentials === undefined) return { ok: false, reason: 'unknown_user', userId: undefined }
  const { userId } = credentials
  if (!matches || passwordHash === null) return { ok: false, reason: 'wrong_password', userId }
  if (credentials.status !== 'active') return { ok: false, reason: 'disabled', userId }
  return { ok: true, credentials: { ...credentials, passwordHash } }
}
