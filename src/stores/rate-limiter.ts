import { RateLimiterRes } from 'rate-limiter-flexible'
import type { Config } from '../config.ts'
import type { Count, RateLimiter, RateLimitProfile } from '../plugins/rate-limiter.ts'

/** What rate-limiter-flexible counts one limit with. */
export type OneLimit = {
  /** Rejects with the same when the limit is over. */
  consume(key: string): Promise<RateLimiterRes>
}

export type OneLimitOptions = {
  readonly keyPrefix: string
  readonly points: number
  readonly duration: number
}

/** A limiter of every limit that is not switched off, made one by one. */
export const toRateLimiter = (
  limits: Config['rateLimits'],
  createLimit: (options: OneLimitOptions) => OneLimit,
): RateLimiter => {
  const byProfile = new Map(
    Object.entries(limits).flatMap(([profile, limit]) =>
      limit === undefined
        ? []
        : [
            [
              profile as RateLimitProfile,
              createLimit({ keyPrefix: profile, points: limit.points, duration: limit.seconds }),
            ] as const,
          ],
    ),
  )
  return {
    async count(profile, by, key) {
      const limit = byProfile.get(profile)
      return limit && consume(limit, `${by}:${key}`)
    },
  }
}

const consume = async (limit: OneLimit, key: string): Promise<Count> => {
  try {
    return toCount(await limit.consume(key), false)
  } catch (over) {
    if (over instanceof RateLimiterRes) return toCount(over, true)
    throw over
  }
}

const toCount = ({ remainingPoints, msBeforeNext }: RateLimiterRes, isOver: boolean): Count => ({
  isOver,
  remaining: isOver ? 0 : remainingPoints,
  resetMs: Math.max(1, msBeforeNext),
})
