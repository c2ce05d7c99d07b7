import { compactVerify, importJWK, type JWK } from 'jose'
import { findJwkFault } from '../keys/public-jwk.ts'
import { decodeUtf8, isWellFormedJson } from '../oauth/text.ts'

/** A JWT that a client has signed, or says to have: nothing is verified yet. */
export type ClientJwt = {
  readonly text: string
  readonly algorithm: string
  /** Opaque: it is compared and nothing else (RFC 8725 §3.10). */
  readonly keyId: string | undefined
  /** In lower case, without `application/` (RFC 7515 §4.1.9). */
  readonly type: string | undefined
  readonly claims: Readonly<Record<string, unknown>>
}

/** By a key pair; `Ed25519` is the newer name of EdDSA (RFC 9864 §2.2). */
export const clientKeyAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'] as const

/** @returns undefined for what is no JWT in the one spelling that it has. */
export const readClientJwt = (text: string, longest = 16_384): ClientJwt | undefined => {
  if (text.length > longest || !isCanonicalJws(text)) return undefined
  const [head = '', body = ''] = text.split('.')
  const header = decodeObject(head)
  const claims = decodeObject(body)
  // A header that must be understood: there is none that we do (RFC 7515 §4.1.11).
  if (header === undefined || claims === undefined || header.crit !== undefined) return undefined
  const { alg, kid, typ } = header
  if (typeof alg !== 'string' || !isTextOrAbsent(kid) || !isTextOrAbsent(typ)) return undefined
  const type = typ?.toLowerCase().replace(/^application\//, '')
  return { text, algorithm: alg, keyId: kid, type, claims }
}

/**
 * Whether one of the keys has signed it. Which keys are asked is decided by whose they are, never
 * by the JWT; unfit ones are passed over (RFC 8725 §3.1, §3.5).
 */
export const isSignedByOneOf = async (jwt: ClientJwt, keys: readonly JWK[]): Promise<boolean> => {
  for (const key of candidates(jwt, keys)) {
    if (await isSignedBy(jwt, key)) return true
  }
  return false
}

/** Enough for a change of keys; each costs a verification. */
const mostTried = 4

const candidates = ({ algorithm, keyId }: ClientJwt, keys: readonly JWK[]): JWK[] =>
  keys
    .filter(({ kid }) => keyId === undefined || kid === undefined || kid === keyId)
    .filter((key) => findJwkFault(key, algorithm) === undefined)
    .slice(0, mostTried)

const isSignedBy = async ({ text, algorithm }: ClientJwt, jwk: JWK): Promise<boolean> => {
  try {
    const key = await importJWK(jwk, algorithm)
    await compactVerify(text, key, { algorithms: [algorithm] })
    return true
  } catch {
    return false
  }
}

// jose takes white space and padding too: one JWT would have many texts.
const isCanonicalJws = (text: string): boolean =>
  /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text) &&
  text.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)

const decodeObject = (part: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(decodeUtf8(Buffer.from(part, 'base64url')) ?? '')
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject && isWellFormedJson(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

const isTextOrAbsent = (value: unknown): value is string | undefined =>
  value === undefined || typeof value === 'string'
