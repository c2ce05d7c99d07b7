import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible'
import type { AttemptStore } from '../../accounts/attempt-store.ts'
import { toAttemptStore } from '../attempts.ts'
import type { RedisClient } from './connection.ts'

type Options = {
  readonly client: RedisClient
  /** Keeps services apart that share a Redis. */
  readonly keyPrefix: string
  /** Whether Redis is known not to answer; then nobody waits for it. */
  readonly isAway: () => boolean
}

/**
 * Counts that all nodes share. While Redis does not answer each process counts by itself, from
 * nothing: never not at all.
 */
export const createRedisAttempts = ({ client, keyPrefix, isAway }: Options): AttemptStore => {
  const prefix = `${keyPrefix}:attempts`
  // Each count is given its own duration.
  const options = { keyPrefix: prefix, points: 1, duration: 1 }
  const own = new RateLimiterMemory(options)
  const shared = new RateLimiterRedis({
    ...options,
    storeClient: client,
    insuranceLimiter: own,
  })
  return toAttemptStore(() => (isAway() ? own : shared))
}
