import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import type { SigningAlgorithm } from '../oauth/algorithm.ts'
import { SealError, type Sealer } from '../secrets/sealer.ts'
import { algorithms, type Sign } from './algorithms.ts'
import type { NewSigningKey } from './key-store.ts'

/** A signing key in use. Its private half is reachable only through `signJwt`. */
export type OpenedKey = {
  readonly keyId: string
  readonly algorithm: SigningAlgorithm
  readonly publicKey: KeyObject
  /** As it is published: public members, `kid`, `use` and `alg`. */
  readonly publicJwk: JWK
  /** Makes a compact JWS of the claims (RFC 7515 §7.1). @param typ `typ` of the header. */
  readonly signJwt: (typ: string, claims: object) => Promise<string>
}

type SealedKey = Pick<NewSigningKey, 'keyId' | 'algorithm' | 'sealedPrivateKey'>

// The sealed bytes fit no other row, algorithm or id.
const sealContext = (key: Pick<NewSigningKey, 'keyId' | 'algorithm'>): string =>
  `${key.algorithm} signing key ${key.keyId}`

/** @param rsaModulusBits size of RS256 and PS256 keys. */
export const generateSigningKey = async (
  algorithm: SigningAlgorithm,
  rsaModulusBits: number,
  sealer: Sealer,
): Promise<NewSigningKey> => {
  const { privateKey } = await algorithms[algorithm].generate(rsaModulusBits)
  const publicJwk = { ...createPublicKey(privateKey).export({ format: 'jwk' }) }
  const keyId = await calculateJwkThumbprint(publicJwk)
  const plain = privateKey.export({ format: 'der', type: 'pkcs8' })
  const sealedPrivateKey = sealer.seal(plain, sealContext({ keyId, algorithm }))
  plain.fill(0)
  return { keyId, algorithm, publicJwk, sealedPrivateKey }
}

/**
 * The public half is derived from the sealed one, so whoever can only write to the database cannot
 * have a key of their own published.
 * @throws {SealError} when the row cannot be opened or names another key.
 */
export const openSigningKey = async (key: SealedKey, sealer: Sealer): Promise<OpenedKey> => {
  const plain = sealer.open(key.sealedPrivateKey, sealContext(key))
  const privateKey = createPrivateKey({ key: plain, format: 'der', type: 'pkcs8' })
  plain.fill(0)
  const publicKey = createPublicKey(privateKey)
  const members = { ...publicKey.export({ format: 'jwk' }) }
  if ((await calculateJwkThumbprint(members)) !== key.keyId) {
    throw new SealError(`${sealContext(key)} is not the thumbprint of the key that is stored there`)
  }
  const { keyId, algorithm } = key
  return {
    keyId,
    algorithm,
    publicKey,
    publicJwk: { kty: members.kty, kid: keyId, use: 'sig', alg: algorithm, ...members },
    signJwt: createSignJwt(key, algorithms[algorithm].createSign(privateKey)),
  }
}

/** Seals a key again, under the newest key-encryption key. */
export const resealSigningKey = (key: SealedKey, sealer: Sealer): Buffer => {
  const plain = sealer.open(key.sealedPrivateKey, sealContext(key))
  const sealed = sealer.seal(plain, sealContext(key))
  plain.fill(0)
  return sealed
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const createSignJwt = ({ keyId, algorithm }: SealedKey, sign: Sign): OpenedKey['signJwt'] => {
  // One header per `typ`, of which the service has a handful.
  const headers = new Map<string, string>()
  return async (typ, claims) => {
    const header = headers.get(typ) ?? encode({ alg: algorithm, typ, kid: keyId })
    headers.set(typ, header)
    const signingInput = `${header}.${encode(claims)}`
    const signature = await sign(signingInput)
    return `${signingInput}.${signature.toString('base64url')}`
  }
}
