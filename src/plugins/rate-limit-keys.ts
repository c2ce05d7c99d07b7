import { isIPv6 } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { foldName } from '../accounts/name-key.ts'
import { sha256 } from '../secrets/digest.ts'
import { networkPrefix } from '../tokens/network-prefix.ts'
import type { RateLimitKey } from './rate-limiter.ts'
import { addressOf } from './request-origin.ts'

/**
 * @param token anything
 * @returns the family of a refresh token that we made, of whatever age; no SQL
 */
export type ReadFamily = (token: string) => Promise<string | undefined>

/** Who has one IPv6 address has all 2^64 of its network, so those count as one. */
const addressKey = (request: FastifyRequest): string => {
  const address = addressOf(request) ?? ''
  return isIPv6(address) ? `${networkPrefix(address)}::/64` : address
}

/**
 * The account that a sign-in names, known or not, in whatever spelling; a digest, because names
 * have no place in Redis.
 */
const accountKey = ({ body }: FastifyRequest, _readFamily: ReadFamily): string | undefined => {
  const name = textMember(body, 'email') ?? textMember(body, 'username')
  return name === undefined ? undefined : sha256(foldName(name.trim())).toString('base64url')
}

/** The family of the refresh token in the body. A forged token names nobody's. */
const familyKey = async (
  { body }: FastifyRequest,
  readFamily: ReadFamily,
): Promise<string | undefined> => {
  const token = textMember(body, 'refresh_token')
  return token === undefined ? undefined : readFamily(token)
}

type FindKey = (
  request: FastifyRequest,
  readFamily: ReadFamily,
) => string | undefined | Promise<string | undefined>

/** Finds in a request what it is counted by; undefined when it does not say. */
export const rateLimitKeys = {
  address: addressKey,
  account: accountKey,
  family: familyKey,
} satisfies Record<RateLimitKey, FindKey>

// The body is not validated yet.
const textMember = (body: unknown, name: string): string | undefined => {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, name)) return undefined
  const member: unknown = (body as Record<string, unknown>)[name]
  return typeof member === 'string' ? member : undefined
}
