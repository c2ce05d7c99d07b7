import type { RateLimits } from '../plugins/rate-limit.ts'
import type { RateLimiter } from '../plugins/rate-limiter.ts'
import { decodeRefreshToken, type MacKeys } from '../secrets/refresh-token.ts'
import { createMemoryRateLimiter } from '../stores/memory/rate-limiter.ts'
import { createRedisRateLimiter } from '../stores/redis/rate-limiter.ts'
import type { Foundation } from './foundation.ts'

/** What counts requests: all nodes together by Redis, or this process alone. */
export const joinRateLimits = (foundation: Foundation, macKeys: MacKeys): RateLimits => ({
  limiter: openLimiter(foundation),
  readFamily: async (token) => (await decodeRefreshToken(token, macKeys))?.familyId,
  onLimited: (profile) => foundation.metrics.count('rateLimited', { profile }),
})

const openLimiter = ({ config: { rateLimits: limits }, sharedState }: Foundation): RateLimiter =>
  sharedState.redis === undefined
    ? createMemoryRateLimiter(limits)
    : createRedisRateLimiter({ ...sharedState.redis, limits })
