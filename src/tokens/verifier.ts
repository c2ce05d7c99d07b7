import { errors, type JWTPayload, jwtVerify } from 'jose'
import type { Clock } from '../clock.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import { type Confirmation, readConfirmation } from '../oauth/confirmation.ts'
import { parseScope, type Scope } from '../oauth/scope.ts'
import type { RevocationKind } from '../revocation/entry.ts'
import type { Revocations } from '../revocation/revocations.ts'
import { looksLikeRefreshToken } from '../secrets/refresh-token.ts'
import type { Subjects } from './subjects.ts'

/** What one of our access tokens says, after its signature, issuer, type and times were checked. */
export type AccessTokenClaims = {
  readonly issuer: string
  /** User id, or client id of a machine; `raw` says it as the client knows it. */
  readonly subject: string
  readonly clientId: string
  readonly audience: readonly string[]
  readonly scope: Scope
  readonly tokenId: string
  readonly issuedAt: Date
  readonly expiresAt: Date
  readonly sessionId?: string
  readonly familyId?: string
  /** The key that it is bound to: without a proof of it the token is worth nothing. */
  readonly confirmation?: Confirmation
  readonly roles: readonly string[]
  readonly permissions: readonly string[]
  /** As on the wire, for introspection. */
  readonly raw: JWTPayload
}

export type VerificationFailure = 'malformed' | 'wrong_type' | 'expired' | 'revoked' | 'invalid'

export type Verification =
  | { readonly ok: true; readonly claims: AccessTokenClaims }
  | {
      readonly ok: false
      readonly reason: VerificationFailure
      /** What was revoked: the token itself, or something that it belongs to. */
      readonly revokedBy?: RevocationKind
    }

export type AccessTokenVerifier = {
  /**
   * Checks one of our own access tokens: canonical form, signature, issuer, type, times and
   * revocation. Audience and scope are the caller's to check.
   * @throws {Unavailable} when the revocations known here are too old to decide.
   */
  verify(token: string): Promise<Verification>
}

type Options = {
  readonly issuer: string
  readonly keyRing: Pick<KeyRing, 'verificationKey'>
  readonly revocations: Pick<Revocations, 'revokedBy' | 'ensureFresh'>
  readonly clock: Clock
  readonly subjects: Pick<Subjects, 'userOf'>
}

/** How old the node's view of the revocations may be at our own endpoints, in milliseconds. */
const maxStalenessMs = 60_000

export const createAccessTokenVerifier = (options: Options): AccessTokenVerifier => ({
  async verify(token) {
    if (looksLikeRefreshToken(token)) return { ok: false, reason: 'wrong_type' }
    if (!isCanonicalJws(token)) return { ok: false, reason: 'malformed' }
    const verified = await verifySignature(options, token)
    if (typeof verified === 'string') return { ok: false, reason: verified }
    await options.revocations.ensureFresh(maxStalenessMs)
    const { keyId } = verified
    const claims = await withUser(options.subjects, verified.claims)
    const revokedBy = options.revocations.revokedBy({ ...claims, keyId })
    return revokedBy === undefined
      ? { ok: true, claims }
      : { ok: false, reason: 'revoked', revokedBy }
  },
})

const withUser = async (
  subjects: Pick<Subjects, 'userOf'>,
  claims: AccessTokenClaims,
): Promise<AccessTokenClaims> => {
  const subject = await subjects.userOf(claims.clientId, claims.subject)
  return subject === claims.subject ? claims : { ...claims, subject }
}

// jose accepts trailing white space and padding after a signature: one token would have many texts.
const isCanonicalJws = (token: string): boolean => {
  const segments = token.split('.')
  return (
    segments.length === 3 &&
    segments.every(
      (segment) =>
        segment !== '' && Buffer.from(segment, 'base64url').toString('base64url') === segment,
    )
  )
}

const verifySignature = async (
  { issuer, keyRing, clock }: Options,
  token: string,
): Promise<{ claims: AccessTokenClaims; keyId: string } | VerificationFailure> => {
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
        requiredClaims: ['sub', 'aud', 'client_id', 'jti', 'iat', 'exp'],
      },
    )
    if (protectedHeader.typ !== 'at+jwt') return 'wrong_type'
    const claims = readClaims(payload)
    return claims === undefined ? 'invalid' : { claims, keyId: protectedHeader.kid as string }
  } catch (error) {
    if (error instanceof errors.JWTExpired) return 'expired'
    if (error instanceof errors.JOSEError || error instanceof TypeError) return 'invalid'
    throw error
  }
}

const readClaims = (payload: JWTPayload): AccessTokenClaims | undefined => {
  const { iss, sub, aud, client_id: clientId, jti, iat, exp, scope, sid, fam } = payload
  const audience = stringsOf(typeof aud === 'string' ? [aud] : aud)
  const parsedScope = typeof scope === 'string' ? parseScope(scope) : []
  if (typeof iss !== 'string' || typeof sub !== 'string' || typeof jti !== 'string') return
  if (!isNumericDate(iat) || !isNumericDate(exp)) return
  if (audience.length === 0 || typeof clientId !== 'string') return
  if (parsedScope === undefined) return
  const confirmation = payload.cnf === undefined ? undefined : readConfirmation(payload.cnf)
  // Bound to something that is not understood: nobody could prove it.
  if (payload.cnf !== undefined && confirmation === undefined) return
  return {
    issuer: iss,
    subject: sub,
    clientId,
    audience,
    scope: parsedScope,
    tokenId: jti,
    issuedAt: new Date(iat * 1000),
    expiresAt: new Date(exp * 1000),
    ...(typeof sid === 'string' ? { sessionId: sid } : {}),
    ...(typeof fam === 'string' ? { familyId: fam } : {}),
    ...(confirmation === undefined ? {} : { confirmation }),
    roles: stringsOf(payload.roles),
    permissions: stringsOf(payload.permissions),
    raw: payload,
  }
}

// Whole seconds, as we write them, that a Date can hold: others would be neither shown nor compared.
const isNumericDate = (value: number | undefined): value is number =>
  Number.isInteger(value) && Math.abs(value as number) <= 8.64e12

const stringsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
