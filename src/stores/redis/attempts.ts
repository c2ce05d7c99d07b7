import { once } from 'node:events'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import type { AttemptStore } from '../../accounts/attempt-store.ts'
import { Unavailable } from '../../oauth/unavailable.ts'
import { toAttemptStore } from '../attempts.ts'
import { BoundedCounts } from '../memory/bounded-counts.ts'
import type { RedisClient } from './connection.ts'

const connectWaitMs = 3000

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
  const own = new BoundedCounts(options)
  const shared = new RateLimiterRedis({
    ...options,
    storeClient: client,
    insuranceLimiter: own,
  })
  const uninsured = new RateLimiterRedis({ ...options, storeClient: client })
  return {
    ...toAttemptStore(() => (isAway() ? own : shared)),
    async erase(key) {
      await own.delete(key)
      await whenReady(client)
      await uninsured.delete(key).catch((cause: unknown) => {
        throw new Unavailable('Redis does not answer', { cause })
      })
    },
  }
}

// Whoever has just begun has not connected yet, the command line above all.
const whenReady = async (client: RedisClient): Promise<void> => {
  if (client.status === 'ready') return
  const signal = AbortSignal.timeout(connectWaitMs)
  await once(client, 'ready', { signal }).catch((cause: unknown) => {
    throw new Unavailable('Redis cannot be reached', { cause })
  })
}
