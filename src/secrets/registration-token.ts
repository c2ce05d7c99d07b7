import { sha256 } from './digest.ts'
import { randomToken } from './random.ts'

// Let secret scanners find what was committed or logged by accident.
const prefixes = { initial: 'tri_', management: 'tra_' }

/**
 * A new token of dynamic registration, shown once; only its digest is kept.
 * @param kind `initial`: lets clients register (RFC 7591 §3); `management`: lets one client manage
 *   its own registration (RFC 7592 §3)
 */
export const createRegistrationToken = (
  kind: keyof typeof prefixes,
): { token: string; digest: Buffer } => {
  const token = prefixes[kind] + randomToken()
  return { token, digest: digestRegistrationToken(token) }
}

/** SHA-256 of the token's whole text, whose 256 random bits need no slow hash. */
export const digestRegistrationToken = (token: string): Buffer => sha256(token)
