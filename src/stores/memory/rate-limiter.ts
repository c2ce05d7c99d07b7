import type { Config } from '../../config.ts'
import type { RateLimiter } from '../../plugins/rate-limiter.ts'
import { toRateLimiter } from '../rate-limiter.ts'
import { BoundedMemoryLimiter } from './bounded-limiter.ts'

/** Limits of a single process. */
export const createMemoryRateLimiter = (limits: Config['rateLimits']): RateLimiter =>
  toRateLimiter(limits, (options) => new BoundedMemoryLimiter(options))
