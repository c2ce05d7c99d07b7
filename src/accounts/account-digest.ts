import { hmacSha256 } from '../secrets/digest.ts'
import type { MacKeys } from '../secrets/refresh-token.ts'
import { deriveSubkey } from '../secrets/signed-value.ts'
import { emailKey, usernameKey } from './name-key.ts'
import type { UserReference } from './user.ts'

/** An account as it was named, the same for all spellings of one name. */
export const spellReference = (reference: UserReference): string => {
  if ('id' in reference) return `id:${reference.id}`
  return 'email' in reference
    ? `email:${emailKey(reference.email)}`
    : `username:${usernameKey(reference.username)}`
}

/**
 * An account as it was named, in base64url that tells nothing to whoever has no key of the service.
 * It changes with the key, so that a rotation begins all counts anew.
 */
export type AccountDigest = (reference: UserReference) => string

export const createAccountDigest =
  (macKeys: Pick<MacKeys, 'current'>): AccountDigest =>
  (reference) => {
    const subkey = deriveSubkey(macKeys.current().key, 'account digest')
    return hmacSha256(subkey, spellReference(reference)).subarray(0, 16).toString('base64url')
  }
