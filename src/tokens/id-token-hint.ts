import { errors, jwtVerify } from 'jose'
import type { Clock } from '../clock.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import type { Subjects } from './subjects.ts'

/** What an ID token of ours says about whom it was given. */
export type IdTokenHint = {
  readonly clientId: string
  readonly userId: string
  readonly sessionId?: string
}

export type IdTokenHints = {
  /**
   * Reads an ID token that a client gives back to us, however long ago it expired (OpenID Connect
   * Core §3.1.2.1; RP-Initiated Logout §2).
   * @returns undefined for what we did not sign, and for tokens of any other kind
   */
  read(token: string): Promise<IdTokenHint | undefined>
}

type Options = {
  readonly issuer: string
  readonly keyRing: Pick<KeyRing, 'verificationKey'>
  readonly subjects: Pick<Subjects, 'userOf'>
  readonly clock: Clock
}

export const createIdTokenHints = (options: Options): IdTokenHints => ({
  async read(token) {
    const claims = await verify(options, token)
    if (claims === undefined) return undefined
    const { sub, aud: clientId, sid } = claims
    if (typeof sub !== 'string' || typeof clientId !== 'string') return undefined
    return {
      clientId,
      userId: await options.subjects.userOf(clientId, sub),
      ...(typeof sid === 'string' ? { sessionId: sid } : {}),
    }
  },
})

const verify = async ({ issuer, keyRing, clock }: Options, token: string) => {
  try {
    const { payload, protectedHeader } = await jwtVerify(
      token,
      // The key decides the algorithm, never the header (RFC 8725 §3.1).
      ({ kid, alg }) => {
        const found = typeof kid === 'string' ? keyRing.verificationKey(kid) : undefined
        if (found === undefined || found.algorithm !== alg) throw new errors.JWKSNoMatchingKey()
        return found.key
      },
      {
        issuer,
        currentDate: clock(),
        // What has expired still tells who was meant.
        clockTolerance: Number.MAX_SAFE_INTEGER,
        requiredClaims: ['sub', 'aud', 'iat', 'exp', 'auth_time', 'at_hash'],
      },
    )
    // Access tokens, logout tokens and answers of other endpoints have types of their own.
    return protectedHeader.typ === 'JWT' ? payload : undefined
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined
    throw error
  }
}
