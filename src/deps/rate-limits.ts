import { createAccountDigest } from '../accounts/account-digest.ts'
import type { KnownDevices } from '../accounts/known-device.ts'
import type { RateLimits } from '../plugins/rate-limit.ts'
import type { RateLimiter } from '../plugins/rate-limiter.ts'
import type { CsrfTokens } from '../secrets/csrf-token.ts'
import type { MacKeys } from '../secrets/refresh-token.ts'
import { createMemoryRateLimiter } from '../stores/memory/rate-limiter.ts'
import { createRedisRateLimiter } from '../stores/redis/rate-limiter.ts'
import type { Foundation } from './foundation.ts'

/** What counts requests: all nodes together by Redis, or this process alone. */
export const joinRateLimits = (
  foundation: Foundation,
  macKeys: MacKeys,
  { csrfTokens, knownDevices }: { csrfTokens: CsrfTokens; knownDevices: KnownDevices },
): RateLimits => ({
  limiter: openLimiter(foundation),
  familyOf: csrfTokens.familyOf,
  digestAccount: createAccountDigest(macKeys),
  recogniseDevice: knownDevices.recognise,
  onLimited: (profile) => foundation.metrics.count('rateLimited', { profile }),
})

const openLimiter = ({ config: { rateLimits: limits }, sharedState }: Foundation): RateLimiter =>
  sharedState.redis === undefined
    ? createMemoryRateLimiter(limits)
    : createRedisRateLimiter({ ...sharedState.redis, limits })
