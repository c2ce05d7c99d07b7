import { isIPv6 } from 'node:net'
import type { FastifyRequest } from 'fastify'
import type { AccountDigest } from '../accounts/account-digest.ts'
import type { KnownDevices } from '../accounts/known-device.ts'
import { type LoginName, toLoginName } from '../accounts/user.ts'
import { networkPrefix } from '../tokens/network-prefix.ts'
import type { RateLimitKey } from './rate-limiter.ts'
import { addressOf } from './request-origin.ts'

/** What tells whom a request is about, without SQL. */
export type Recognition = {
  /** The family of a refresh token that we made, of whatever age. */
  readonly familyOf: (token: string) => Promise<string | undefined>
  readonly digestAccount: AccountDigest
  readonly recogniseDevice: KnownDevices['recognise']
}

type FindKey = (request: FastifyRequest, recognition: Recognition) => Promise<string | undefined>

/** Who has one IPv6 address has all 2^64 of its network, so those count as one. */
export const addressKey = (request: FastifyRequest): string => {
  const address = addressOf(request) ?? ''
  return isIPv6(address) ? `${networkPrefix(address)}::/64` : address
}

/**
 * The account that a sign-in names, known or not, in whatever spelling. Devices that have signed in
 * to it count apart, so that strangers do not use up what its owner has.
 */
const accountKey: FindKey = async (request, { digestAccount, recogniseDevice }) => {
  const name = nameIn(request.body)
  if (name === undefined) return undefined
  const kept = request.server.browserSessions?.read(request, 'device')
  const device = await recogniseDevice(kept, name)
  return [digestAccount(name), ...(device === undefined ? [] : [device])].join(' ')
}

/** The family of the refresh token. A forged one is nobody's. */
const familyKey: FindKey = async (request, { familyOf }) => {
  const token = textMember(request.body, 'refresh_token') ?? tokenInCookie(request)
  return token === undefined ? undefined : familyOf(token)
}

/**
 * All that the answer to a refresh depends on: requests with the same text can share one. Nothing is
 * left out that the family's queue tells apart, or strangers could ask more than they are counted.
 */
export const refreshQuestion = (request: FastifyRequest): string => {
  const { authorization, cookie, dpop, 'user-agent': userAgent } = request.headers
  const sender = [addressKey(request), authorization, cookie, dpop, userAgent]
  return JSON.stringify([request.routeOptions.url, request.body, sender])
}

/** Finds in a body what it is counted by; undefined when it does not say. */
export const bodyKeys: Readonly<Record<Exclude<RateLimitKey, 'address'>, FindKey>> = {
  account: accountKey,
  family: familyKey,
}

// The OAuth endpoints take none from cookies.
const tokenInCookie = (request: FastifyRequest): string | undefined =>
  request.routeOptions.config.rateLimit === 'refresh'
    ? request.server.browserSessions?.read(request, 'refresh')
    : undefined

const nameIn = (body: unknown): LoginName | undefined => {
  const email = textMember(body, 'email')
  if (email !== undefined) return { email }
  const username = textMember(body, 'username')
  return username === undefined ? undefined : toLoginName(username)
}

// The body is not validated yet.
const textMember = (body: unknown, name: string): string | undefined => {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, name)) return undefined
  const member: unknown = (body as Record<string, unknown>)[name]
  return typeof member === 'string' ? member : undefined
}
