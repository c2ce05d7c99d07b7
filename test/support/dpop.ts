import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import type { LightMyRequestResponse } from 'fastify'

/** A key that signs proofs, and how the world sees it. */
export type ProofKey = {
  readonly alg: string
  readonly jwk: Readonly<Record<string, unknown>>
  readonly privateKey: KeyObject
  readonly jkt: string
}

const generate: Readonly<Record<string, () => { publicKey: KeyObject; privateKey: KeyObject }>> = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
  Ed25519: () => generateKeyPairSync('ed25519'),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
}

/** RFC 7638 §3.2: the members that a thumbprint is made of, in their order. */
const thumbprintMembers = ['crv', 'e', 'kty', 'n', 'x', 'y']

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url')

export const createProofKey = (alg = 'ES256'): ProofKey => {
  const { publicKey, privateKey } = generate[alg]?.() ?? fail(alg)
  const jwk = publicKey.export({ format: 'jwk' }) as Record<string, unknown>
  const known = thumbprintMembers.filter((name) => name in jwk)
  const jkt = digest(JSON.stringify(Object.fromEntries(known.map((name) => [name, jwk[name]]))))
  return { alg, jwk, privateKey, jkt }
}

const fail = (alg: string): never => {
  throw new Error(`no key for ${alg}`)
}

export type ProofParts = {
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims?: Readonly<Record<string, unknown>>
}

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')

/**
 * A proof made by hand, so that a test can have anything wrong in it. What is undefined is left out.
 */
export const signProof = (key: ProofKey, { header, claims }: ProofParts): string => {
  const input = [
    encode({ typ: 'dpop+jwt', alg: key.alg, jwk: key.jwk, ...header }),
    encode({ jti: randomUUID(), ...claims }),
  ].join('.')
  return `${input}.${signBytes(key, Buffer.from(input)).toString('base64url')}`
}

const signBytes = ({ alg, privateKey }: ProofKey, bytes: Buffer): Buffer => {
  if (alg === 'EdDSA' || alg === 'Ed25519') return sign(null, bytes, privateKey)
  if (alg === 'ES256') {
    return sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' })
  }
  return alg === 'PS256'
    ? sign('sha256', bytes, { key: privateKey, padding: 6, saltLength: 32 })
    : sign('sha256', bytes, privateKey)
}

/** `ath` of a token. */
export const hashOf = digest

/** The nonce that an answer gives for the next proof. */
export const nonceOf = ({ headers }: LightMyRequestResponse): string => {
  const nonce = headers['dpop-nonce']
  if (typeof nonce !== 'string') throw new Error('the answer gives no nonce')
  return nonce
}
