import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto'
import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader } from 'jose'
import type { Test } from 'tap'
import { createSealer } from '../../src/secrets/sealer.ts'
import { connect, register, type TestService, testKeyEncryptionKey } from '../support/service.ts'

export type Claims = Readonly<Record<string, unknown>>

const encode = (part: object | string | Buffer): string =>
  Buffer.from(
    typeof part === 'string' || Buffer.isBuffer(part) ? part : JSON.stringify(part),
  ).toString('base64url')

/** A JWS with any header and payload, signed with an RSA key. */
export const signJws = (header: object, payload: Claims | string, key: KeyObject): string => {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${encode(sign('sha256', Buffer.from(input), key))}`
}

/** A JWS with any header and payload, signed with a shared secret. */
export const macJws = (header: object, payload: Claims, secret: string | Buffer): string => {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

export const withoutSignature = (header: object, payload: Claims): string =>
  `${encode(header)}.${encode(payload)}.`

/** What an attacker has, or dreams of: a good token and the keys, the service's own included. */
export type Forgery = Awaited<ReturnType<typeof prepareForgery>>

export const prepareForgery = async (t: Test, service: TestService) => {
  const person = await register(service.app)
  const valid = person.access_token
  const header = decodeProtectedHeader(valid) as { alg: string; typ: string; kid: string }
  const ourKey = await unseal(t, service, header.kid)
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const strangerJwk = stranger.publicKey.export({ format: 'jwk' })
  return {
    person,
    valid,
    parts: valid.split('.') as [string, string, string],
    header,
    claims: decodeJwt(valid) as Claims,
    /** The private half: what it signs must still be refused if anything else is wrong. */
    ourKey,
    ourPublicKey: createPublicKey(ourKey),
    strangerKey: stranger.privateKey,
    strangerJwk: { ...strangerJwk, kid: await calculateJwkThumbprint(strangerJwk) },
  }
}

const unseal = async (t: Test, service: TestService, kid: string): Promise<KeyObject> => {
  const db = await connect(t, service)
  const row = await db
    .selectFrom('signing_keys')
    .select(['algorithm', 'sealed_private_key'])
    .where('key_id', '=', kid)
    .executeTakeFirstOrThrow()
  const sealer = createSealer([Buffer.from(testKeyEncryptionKey, 'base64')])
  const sealed = Buffer.from(row.sealed_private_key)
  const key = sealer.open(sealed, `${row.algorithm} signing key ${kid}`)
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
}
