import {
  constants,
  generateKeyPair,
  type KeyObject,
  type SignKeyObjectInput,
  sign as signNow,
} from 'node:crypto'
import { promisify } from 'node:util'
import type { SigningAlgorithm } from '../oauth/algorithm.ts'

const generate = promisify(generateKeyPair)
const signInThreadPool = promisify(
  (data: Buffer, key: SignKeyObjectInput, done: (error: Error | null, value: Buffer) => void) =>
    signNow('sha256', data, key, done),
)

/** Signs a JWS signing input (RFC 7515 §5.1). The private key stays inside. */
export type Sign = (signingInput: string) => Buffer | Promise<Buffer>

type Algorithm = {
  /** @param rsaModulusBits read by RSA only. */
  readonly generate: (rsaModulusBits: number) => Promise<{ privateKey: KeyObject }>
  readonly createSign: (privateKey: KeyObject) => Sign
}

const rsa = (options: Omit<SignKeyObjectInput, 'key'>): Algorithm => ({
  generate: (modulusLength) => generate('rsa', { modulusLength, publicExponent: 65_537 }),
  // About a millisecond of work: in libuv's pool, so that it never blocks the event loop.
  createSign: (key) => (input) => signInThreadPool(Buffer.from(input), { key, ...options }),
})

/**
 * All that is known about an algorithm (RFC 7518 §3.1, RFC 8037). Elliptic curves sign at once:
 * that costs less than a round trip through a thread pool.
 */
export const algorithms: Readonly<Record<SigningAlgorithm, Algorithm>> = {
  RS256: rsa({ padding: constants.RSA_PKCS1_PADDING }),
  PS256: rsa({
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  }),
  ES256: {
    generate: () => generate('ec', { namedCurve: 'P-256' }),
    createSign: (key) => (input) =>
      signNow('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }),
  },
  EdDSA: {
    generate: () => generate('ed25519'),
    createSign: (key) => (input) => signNow(null, Buffer.from(input), key),
  },
}
