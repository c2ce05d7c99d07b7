import type { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible'
import type { AttemptStore } from '../accounts/attempt-store.ts'

/**
 * Counts with a limiter that never refuses by itself: who is refused is decided by the caller.
 * @param limiter the one that counts at this moment
 */
export const toAttemptStore = (
  limiter: () => RateLimiterMemory | RateLimiterRedis,
): Omit<AttemptStore, 'erase'> => ({
  async add(key, windowSeconds) {
    const { consumedPoints, msBeforeNext } = await limiter().penalty(key, 1, {
      customDuration: windowSeconds,
    })
    return { count: consumedPoints, secondsLeft: Math.ceil(msBeforeNext / 1000) }
  },
  async takeBack(key, windowSeconds) {
    await limiter().reward(key, 1, { customDuration: windowSeconds })
  },
  async set(key, count, seconds) {
    await limiter().set(key, count, seconds)
  },
  async forget(key) {
    await limiter().delete(key)
  },
})
