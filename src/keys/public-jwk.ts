import { createPublicKey } from 'node:crypto'
import type { JWK } from 'jose'
import { isRocaModulus } from './roca.ts'

/** Members that only a private or a shared key has (RFC 7518 §6). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** What a key of one kind must be for an algorithm. */
const forms: Readonly<Record<string, { readonly kty: string; readonly crv?: string }>> = {
  RS256: { kty: 'RSA' },
  PS256: { kty: 'RSA' },
  ES256: { kty: 'EC', crv: 'P-256' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519' },
  Ed25519: { kty: 'OKP', crv: 'Ed25519' },
}

/**
 * Says what is wrong with a public key that somebody else has made, before anything is verified
 * with it: jose takes RSA keys of any exponent and ignores private parts (RFC 8725 §3.5).
 *
 * @param algorithm that it is to verify; the key's own `alg` and `use` must not contradict
 * @returns undefined when it may be used
 */
export const findJwkFault = (jwk: JWK, algorithm: string): string | undefined => {
  const form = Object.hasOwn(forms, algorithm) ? forms[algorithm] : undefined
  if (form === undefined) return 'the algorithm is not supported'
  if (privateMembers.some((member) => Object.hasOwn(jwk, member))) return 'the key is not public'
  if (jwk.kty !== form.kty || (form.crv !== undefined && jwk.crv !== form.crv)) {
    return 'the key does not fit the algorithm'
  }
  if (jwk.alg !== undefined && jwk.alg !== algorithm) return 'the key is for another algorithm'
  if (jwk.use !== undefined && jwk.use !== 'sig') return 'the key is not for signatures'
  if (jwk.key_ops !== undefined && !isForVerifying(jwk.key_ops))
    return 'the key is not for signatures'
  if (!isImportable(jwk)) return 'the key cannot be read'
  return form.kty === 'RSA' ? findRsaFault(jwk) : undefined
}

const isForVerifying = (operations: unknown): boolean =>
  Array.isArray(operations) && operations.includes('verify')

// Points that are not on the curve, and members that are missing, among others.
const isImportable = (jwk: JWK): boolean => {
  try {
    return createPublicKey({ key: jwk as Record<string, string>, format: 'jwk' }).type === 'public'
  } catch {
    return false
  }
}

const smallestModulusBits = 2048
/** A signature of a longer key costs as much as many of the others. */
const largestModulusBits = 8192
const smallestExponent = 65_537n
const largestExponent = 2n ** 32n

const findRsaFault = ({ n, e }: JWK): string | undefined => {
  const modulus = toInteger(n)
  const exponent = toInteger(e)
  const bits = modulus.toString(2).length
  if (bits < smallestModulusBits || bits > largestModulusBits) {
    return `an RSA key has ${smallestModulusBits} to ${largestModulusBits} bits`
  }
  if (exponent < smallestExponent || exponent > largestExponent || exponent % 2n === 0n) {
    return 'the exponent of an RSA key is odd and at least 65537'
  }
  return modulus % 2n === 0n || isRocaModulus(modulus) ? 'the RSA key is weak' : undefined
}

const toInteger = (encoded: string | undefined): bigint =>
  BigInt(`0x0${Buffer.from(encoded ?? '', 'base64url').toString('hex')}`)
