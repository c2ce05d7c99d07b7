import type { Config } from '../config.ts'
import type { Count, RateLimitProfile } from './rate-limiter.ts'

/** A count under a limit, as the request's answer tells it. */
export type LimitedCount = Count & { readonly profile: RateLimitProfile }

/**
 * The limits of an answer and what is left of them, as structured fields
 * (draft-ietf-httpapi-ratelimit-headers-10 §3, §4). Of several counts under one limit the tightest
 * is told.
 */
export const rateLimitHeaders = (
  limits: Config['rateLimits'],
  counts: readonly LimitedCount[],
): Record<string, string> => {
  const tightest = new Map<RateLimitProfile, LimitedCount>()
  for (const count of counts) {
    const other = tightest.get(count.profile)
    if (other === undefined || isTighter(count, other)) tightest.set(count.profile, count)
  }
  const items = [...tightest.values()]
  return {
    'ratelimit-policy': items.map(({ profile }) => policyItem(profile, limits)).join(', '),
    ratelimit: items
      .map(({ profile, ...count }) => `"${profile}";r=${count.remaining};t=${toSeconds(count)}`)
      .join(', '),
  }
}

/** Whole seconds until a count begins anew. */
export const toSeconds = ({ resetMs }: Pick<Count, 'resetMs'>): number => Math.ceil(resetMs / 1000)

const policyItem = (profile: RateLimitProfile, limits: Config['rateLimits']): string =>
  `"${profile}";q=${limits[profile]?.points};w=${limits[profile]?.seconds}`

const isTighter = (one: Count, other: Count): boolean =>
  one.remaining === other.remaining ? one.resetMs > other.resetMs : one.remaining < other.remaining
