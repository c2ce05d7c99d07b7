import { addSeconds } from '../clock.ts'
import type { ClientJwt } from './client-jwt.ts'

/** Whom an assertion must be from and for. */
export type AssertionTarget = {
  readonly clientId: string
  readonly issuer: string
  /** Further audiences that do, alone or among others; for clients of the `legacy` kind. */
  readonly otherAudiences: readonly string[]
}

/** What has to be remembered of an assertion so that it is good once. */
export type JudgedAssertion = {
  readonly tokenId: string
  /** It cannot have been used before. */
  readonly issuedAt: Date
  readonly expiresAt: Date
}

/** A word for the log; the client is told nothing of it. */
export type AssertionFault = { readonly fault: string }

/** Longest time for which an assertion may be good, from now on: so long its id is remembered. */
const longestLifetimeSeconds = 600
/** How far a client's clock may be ahead of ours. */
const skewSeconds = 10
const longestTokenId = 512

const types = ['jwt', 'client-authentication+jwt']

/** Whether a signed assertion proves a client (RFC 7523 §3, rfc7523bis §4): a pure function. */
export const judgeAssertion = (
  { type, claims }: Pick<ClientJwt, 'type' | 'claims'>,
  { clientId, issuer, otherAudiences }: AssertionTarget,
  now: Date,
): JudgedAssertion | AssertionFault => {
  const { iss, sub, aud, jti } = claims
  if (type !== undefined && !types.includes(type)) return { fault: 'wrong_type' }
  if (iss !== clientId) return { fault: 'wrong_issuer' }
  if (sub !== clientId) return { fault: 'wrong_subject' }
  if (!isFor(aud, issuer, otherAudiences)) return { fault: 'wrong_audience' }
  if (typeof jti !== 'string' || jti === '' || jti.length > longestTokenId) {
    return { fault: 'no_id' }
  }
  const times = judgeTimes(claims, now)
  return typeof times === 'string' ? { fault: times } : { tokenId: jti, ...times }
}

// For us alone: an assertion for several could be shown to us by another (rfc7523bis §4).
const isFor = (aud: unknown, issuer: string, others: readonly string[]): boolean => {
  if (others.length === 0) return aud === issuer
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  return audiences.some((each) => each === issuer || others.some((other) => other === each))
}

/**
 * `exp` is needed; `nbf` and `iat` count when they are there.
 * @returns when it was issued at the earliest, and when it ends; or what is wrong
 */
export const judgeTimes = (
  { exp, nbf, iat }: Readonly<Record<string, unknown>>,
  now: Date,
): { readonly issuedAt: Date; readonly expiresAt: Date } | string => {
  if (!isNumericDate(exp)) return 'no_expiry'
  const expiresAt = new Date(exp * 1000)
  if (expiresAt <= now) return 'expired'
  if (expiresAt > addSeconds(now, longestLifetimeSeconds)) return 'too_long'
  for (const time of [nbf, iat]) {
    if (time !== undefined && !isNumericDate(time)) return 'malformed_time'
    if (time !== undefined && new Date(time * 1000) > addSeconds(now, skewSeconds)) return 'early'
  }
  const issuedAt = isNumericDate(iat)
    ? addSeconds(new Date(iat * 1000), -skewSeconds)
    : addSeconds(expiresAt, -longestLifetimeSeconds)
  return { issuedAt, expiresAt }
}

/** Seconds since the epoch that a Date can hold (RFC 7519 §2). */
const isNumericDate = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= 8.64e12
