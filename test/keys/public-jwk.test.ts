import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { JWK } from 'jose'
import t from 'tap'
import { findJwkFault } from '../../src/keys/public-jwk.ts'
import { isRocaModulus } from '../../src/keys/roca.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed = generateKeyPairSync('ed25519')
const jwkOf = ({ publicKey }: { publicKey: typeof rsa.publicKey }): JWK =>
  publicKey.export({ format: 'jwk' })

const encode = (value: bigint): string => {
  const hex = value.toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').toString('base64url')
}
const decode = (text = ''): bigint => BigInt(`0x${Buffer.from(text, 'base64url').toString('hex')}`)

for (const [algorithm, jwk] of [
  ['RS256', jwkOf(rsa)],
  ['PS256', jwkOf(rsa)],
  ['ES256', jwkOf(ec)],
  ['EdDSA', jwkOf(ed)],
  ['Ed25519', jwkOf(ed)],
] as const) {
  t.test(`a sound key for ${algorithm}, with and without its alg`, async (t) => {
    t.equal(findJwkFault(jwk, algorithm), undefined)
    const stated = { ...jwk, alg: algorithm, use: 'sig', key_ops: ['verify'], kid: 'x' }
    t.equal(findJwkFault(stated, algorithm), undefined)
  })
}

/** The flawed library's primes are powers of 65537 modulo the product of small primes. */
const smallPrimes = [
  ...[2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89],
  ...[97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167],
].map(BigInt)
const product = smallPrimes.reduce((one, other) => one * other)
const power = (exponent: number): bigint =>
  Array.from({ length: exponent }).reduce<bigint>((value) => (value * 65_537n) % product, 1n)
const flawedModulus = (): bigint => {
  const random = decode(randomBytes(256).toString('base64url')) | (1n << 2047n)
  return random - (random % product) + power(1 + (randomBytes(1)[0] ?? 0))
}

t.test('keys of the flawed library are told from sound ones (CVE-2017-15361)', async (t) => {
  for (let round = 0; round < 20; round += 1) {
    t.equal(isRocaModulus(flawedModulus()), true)
    t.equal(isRocaModulus(decode(randomBytes(256).toString('base64url')) | 1n), false)
  }
  t.equal(isRocaModulus(decode(jwkOf(rsa).n)), false)
})

const short = generateKeyPairSync('rsa', { modulusLength: 1024 })
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })

const faults: Readonly<Record<string, readonly [jwk: JWK, algorithm: string, fault: RegExp]>> = {
  'an unknown algorithm': [jwkOf(ec), 'none', /not supported/],
  'a name of Object': [jwkOf(ec), 'toString', /not supported/],
  'HS256 with a public key': [jwkOf(rsa), 'HS256', /not supported/],
  'a shared key': [{ kty: 'oct', k: 'AAAA' }, 'ES256', /not public/],
  'a private EC key': [ec.privateKey.export({ format: 'jwk' }), 'ES256', /not public/],
  'a private RSA key': [rsa.privateKey.export({ format: 'jwk' }), 'RS256', /not public/],
  'an EC key for RS256': [jwkOf(ec), 'RS256', /does not fit/],
  'another curve': [jwkOf(p384), 'ES256', /does not fit/],
  'an Ed25519 key for ES256': [jwkOf(ed), 'ES256', /does not fit/],
  'a key for another algorithm': [{ ...jwkOf(rsa), alg: 'PS256' }, 'RS256', /another algorithm/],
  'a key for encryption': [{ ...jwkOf(rsa), use: 'enc' }, 'RS256', /not for signatures/],
  'a key to sign with': [{ ...jwkOf(rsa), key_ops: ['sign'] }, 'RS256', /not for signatures/],
  'a key without modulus': [{ kty: 'RSA', e: 'AQAB' }, 'RS256', /cannot be read/],
  'a point that is nowhere': [{ ...jwkOf(ec), y: jwkOf(ec).x ?? '' }, 'ES256', /cannot be read/],
  'a short RSA key': [jwkOf(short), 'RS256', /2048 to 8192 bits/],
  'a huge RSA key': [{ ...jwkOf(rsa), n: encode(1n << 8200n) }, 'RS256', /2048 to 8192 bits/],
  'the exponent 1': [{ ...jwkOf(rsa), e: 'AQ' }, 'RS256', /exponent|cannot be read/],
  'the exponent 3': [{ ...jwkOf(rsa), e: 'Aw' }, 'RS256', /exponent/],
  'an even exponent': [{ ...jwkOf(rsa), e: encode(65_538n) }, 'RS256', /exponent|cannot be read/],
  'a huge exponent': [{ ...jwkOf(rsa), e: encode(2n ** 64n + 1n) }, 'RS256', /exponent/],
  'an even modulus': [{ ...jwkOf(rsa), n: encode(1n << 2047n) }, 'RS256', /weak|cannot be read/],
  'a flawed modulus': [{ ...jwkOf(rsa), n: encode(flawedModulus()) }, 'RS256', /weak/],
}

for (const [what, [jwk, algorithm, fault]] of Object.entries(faults)) {
  t.test(`refused: ${what}`, async (t) => {
    t.match(findJwkFault(jwk, algorithm), fault)
  })
}
