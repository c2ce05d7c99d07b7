import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { equalInConstantTime, hmacSha256, sha256 } from './digest.ts'

/** What a refresh token says once its MAC has proved that we made it. */
export type RefreshTokenParts = {
  /** UUID of the family. */
  readonly familyId: string
  /** 1 for the first token of a family; each rotation adds 1. */
  readonly generation: number
  /** 32 bytes. */
  readonly secret: Buffer
}

/** A key that authenticates refresh tokens, with the number by which tokens name it (1 to 255). */
export type MacKey = { readonly number: number; readonly key: KeyObject }

export type MacKeys = {
  /** The key that new tokens get. */
  current(): MacKey
  /** Reloads once, rate-limited, when the number is unknown. */
  find(number: number): Promise<KeyObject | undefined>
}

// `trt_` + base64url(MAC-key number 1 B ‖ family 16 B ‖ generation uint32 ‖ secret 32 B ‖ MAC 16 B)
const prefix = 'trt_'
const familyStart = 1
const generationStart = 17
const secretStart = 21
const macStart = 53
// 69 bytes are 92 characters without a spare bit, so each token has exactly one spelling.
const shape = /^trt_[A-Za-z0-9_-]{92}$/
const maxGeneration = 0xff_ff_ff_ff

/** True for what has the form of our refresh tokens, genuine or not. */
export const looksLikeRefreshToken = (token: string): boolean => shape.test(token)

/** @throws {RangeError} for a generation that is not an integer from 1 to 2^32 − 1. */
export const encodeRefreshToken = (parts: RefreshTokenParts, macKey: MacKey): string => {
  const body = Buffer.concat([
    Buffer.of(macKey.number),
    encodeFamilyAndGeneration(parts.familyId, parts.generation),
    parts.secret,
  ])
  return prefix + Buffer.concat([body, computeMac(body, macKey.key)]).toString('base64url')
}

/** @returns undefined for whatever we did not make: wrong form, unknown key, wrong MAC. */
export const decodeRefreshToken = async (
  token: string,
  macKeys: MacKeys,
): Promise<RefreshTokenParts | undefined> => {
  if (!looksLikeRefreshToken(token)) return undefined
  const bytes = Buffer.from(token.slice(prefix.length), 'base64url')
  const body = bytes.subarray(0, macStart)
  const key = await macKeys.find(body.readUInt8(0))
  if (key === undefined) return undefined
  if (!equalInConstantTime(computeMac(body, key), bytes.subarray(macStart))) return undefined
  return {
    familyId: toUuid(body.subarray(familyStart, generationStart)),
    generation: body.readUInt32BE(generationStart),
    secret: body.subarray(secretStart),
  }
}

/** What is stored of a token: SHA-256 of its secret, bound to its family and generation. */
export const digestRefreshSecret = (parts: RefreshTokenParts): Buffer =>
  sha256(
    Buffer.concat([
      Buffer.from('tessera refresh digest 1'),
      encodeFamilyAndGeneration(parts.familyId, parts.generation),
      parts.secret,
    ]),
  )

/**
 * The next generation's token, which whoever holds its parent can compute again from the salt;
 * so a retry needs no stored secret.
 * @param salt 16 random bytes, fresh for each rotation.
 * @throws {RangeError} when the generations are used up.
 */
export const deriveSuccessor = (presented: RefreshTokenParts, salt: Buffer): RefreshTokenParts => {
  const generation = presented.generation + 1
  const info = Buffer.concat([
    Buffer.from('tessera refresh successor 1'),
    encodeFamilyAndGeneration(presented.familyId, generation),
  ])
  const parent = createSecretKey(presented.secret)
  const secret = hkdfSync('sha256', parent, salt, info, presented.secret.length)
  return { familyId: presented.familyId, generation, secret: Buffer.from(secret) }
}

// "Everything before it" (the prefix too): a MAC made for something else never fits a token.
const computeMac = (body: Buffer, key: KeyObject): Buffer =>
  hmacSha256(key, prefix, body).subarray(0, 16)

const encodeFamilyAndGeneration = (familyId: string, generation: number): Buffer => {
  if (!Number.isInteger(generation) || generation < 1 || generation > maxGeneration) {
    throw new RangeError('a refresh-token generation is an integer from 1 to 2^32 - 1')
  }
  const bytes = Buffer.alloc(20)
  if (bytes.write(familyId.replaceAll('-', ''), 0, 16, 'hex') !== 16) {
    throw new RangeError('a refresh-token family is named by a UUID')
  }
  bytes.writeUInt32BE(generation, 16)
  return bytes
}

const toUuid = (bytes: Buffer): string =>
  bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
