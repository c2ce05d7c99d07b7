import type { JWK } from 'jose'
import { calculateJwkThumbprint, compactVerify, decodeProtectedHeader, importJWK } from 'jose'
import { findJwkFault } from '../keys/public-jwk.ts'

/**
 * Algorithms of proofs. Ed25519 is EdDSA by its newer name (RFC 9864 §2.2), which clients have
 * begun to use.
 */
export const proofAlgorithms = ['RS256', 'ES256', 'EdDSA', 'PS256', 'Ed25519'] as const
export type ProofAlgorithm = (typeof proofAlgorithms)[number]

/** What a proof says (RFC 9449 §4.2), signed by the key in it; not yet compared with a request. */
export type DpopProof = {
  /** Thumbprint of the key (RFC 7638). */
  readonly jkt: string
  readonly algorithm: ProofAlgorithm
  readonly tokenId: string
  /** `htm` */
  readonly method: string
  /** `htu`, untouched. */
  readonly url: string
  readonly issuedAt: Date
  readonly nonce?: string
  /** `ath` */
  readonly accessTokenHash?: string
}

/** A sentence about what is wrong. Public: it tells a sender about their own proof only. */
export type ProofFault = { readonly fault: string }

/** Keys of 8192 bits fit. */
const longestProof = 8192
const longestTokenId = 512

/** Reads a proof, and checks what can be known without the request: form, type, key, signature. */
export const readProof = async (jwt: string): Promise<DpopProof | ProofFault> => {
  if (jwt.length > longestProof) return { fault: 'The DPoP proof is too long' }
  if (!isCanonicalJws(jwt)) return { fault: 'The DPoP proof is not one JWT' }
  const header = readHeader(jwt)
  if (header === undefined) return { fault: 'The header of the DPoP proof cannot be read' }
  const fault = findHeaderFault(header)
  if (fault !== undefined) return { fault }
  const { alg, jwk } = header as { alg: ProofAlgorithm; jwk: JWK }
  const payload = await verifySignature(jwt, alg, jwk)
  if (payload === undefined) return { fault: 'The signature of the DPoP proof is wrong' }
  const claims = readClaims(payload)
  if (claims === undefined) return { fault: 'A claim of the DPoP proof is missing or malformed' }
  return { ...claims, algorithm: alg, jkt: await calculateJwkThumbprint(jwk) }
}

// jose takes white space and padding too: one proof would have many texts.
const isCanonicalJws = (jwt: string): boolean =>
  /^[\w-]+\.[\w-]+\.[\w-]+$/.test(jwt) &&
  jwt.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)

const readHeader = (jwt: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    return decodeProtectedHeader(jwt)
  } catch {
    return undefined
  }
}

const findHeaderFault = ({
  typ,
  alg,
  jwk,
  crit,
}: Readonly<Record<string, unknown>>): string | undefined => {
  if (typ !== 'dpop+jwt') return 'The typ of a DPoP proof is dpop+jwt'
  if (crit !== undefined) return 'The DPoP proof demands an extension that is not supported'
  if (!proofAlgorithms.some((known) => known === alg)) {
    return `The alg of a DPoP proof is one of ${proofAlgorithms.join(', ')}`
  }
  if (!isObject(jwk)) return 'The DPoP proof holds no key'
  const fault = findJwkFault(jwk, alg as string)
  return fault === undefined ? undefined : `The key of the DPoP proof is refused: ${fault}`
}

const verifySignature = async (jwt: string, alg: string, jwk: JWK): Promise<unknown> => {
  try {
    const { kty, crv, x, y, n, e } = jwk
    const key = await importJWK(JSON.parse(JSON.stringify({ kty, crv, x, y, n, e })), alg)
    const { payload } = await compactVerify(jwt, key, { algorithms: [alg] })
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
  } catch {
    // Whatever it is, the proof is the sender's own, and is not one.
    return undefined
  }
}

const readClaims = (payload: unknown): Omit<DpopProof, 'jkt' | 'algorithm'> | undefined => {
  if (!isObject(payload)) return undefined
  const { jti, htm, htu, iat, nonce, ath } = payload
  if (!isText(jti) || jti.length > longestTokenId || !isText(htm) || !isText(htu)) return undefined
  if (typeof iat !== 'number' || !(Math.abs(iat) <= 8.64e12)) return undefined
  if (nonce !== undefined && !isText(nonce)) return undefined
  if (ath !== undefined && !isText(ath)) return undefined
  return {
    ...{ tokenId: jti, method: htm, url: htu, issuedAt: new Date(iat * 1000) },
    ...(nonce === undefined ? {} : { nonce }),
    ...(ath === undefined ? {} : { accessTokenHash: ath }),
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
