import { RateLimiterRedis, type RateLimiterRes, RLWrapperTimeouts } from 'rate-limiter-flexible'
import type { Config } from '../../config.ts'
import type { RateLimiter } from '../../plugins/rate-limiter.ts'
import { BoundedMemoryLimiter } from '../memory/bounded-limiter.ts'
import { type OneLimit, type OneLimitOptions, toRateLimiter } from '../rate-limiter.ts'
import type { RedisClient } from './connection.ts'

type Options = {
  readonly client: RedisClient
  /** Keeps services apart that share a Redis. */
  readonly keyPrefix: string
  /** Longest wait for Redis; its own time limit does not cover what a cluster tries again. */
  readonly commandTimeoutMs: number
  /** Whether Redis is known not to answer; then nobody waits for it. */
  readonly isAway: () => boolean
  readonly limits: Config['rateLimits']
  /** Milliseconds of a clock that never goes back. */
  readonly uptimeMs?: () => number
}

/** After a failure so long nobody tries again, so that not every request waits in vain. */
const pauseMs = 1000

/**
 * Limits that all nodes count together, in one round trip each. What Redis does not count in time
 * is counted by each process for itself, from nothing: never not at all.
 */
export const createRedisRateLimiter = ({
  client,
  keyPrefix,
  commandTimeoutMs: timeoutMs,
  isAway,
  limits,
  uptimeMs = () => performance.now(),
}: Options): RateLimiter => {
  let pausedUntil = Number.NEGATIVE_INFINITY
  const isPaused = (): boolean => isAway() || uptimeMs() < pausedUntil
  // A pause that lasts is not made longer, or traffic would keep Redis away for ever.
  const pause = (): void => {
    if (!isPaused()) pausedUntil = uptimeMs() + pauseMs
  }
  return toRateLimiter(limits, (options): OneLimit => {
    const own = new InsuranceLimiter({ ...options, onUse: pause })
    const together = new RLWrapperTimeouts({
      timeoutMs,
      insuranceLimiter: own,
      limiter: new RateLimiterRedis({
        ...options,
        keyPrefix: `${keyPrefix}:limit:${options.keyPrefix}`,
        storeClient: client,
        // Whoever is over the limit is refused from memory for the rest of the window.
        inMemoryBlockOnConsumed: options.points + 1,
      }),
    })
    return {
      consume: (key) => (isPaused() ? own : together).consume(key),
    }
  })
}

/** Takes over what Redis did not count. */
class InsuranceLimiter extends BoundedMemoryLimiter {
  readonly #onUse: () => void

  constructor({ onUse, ...options }: OneLimitOptions & { readonly onUse: () => void }) {
    super(options)
    this.#onUse = onUse
  }

  override consume(key: string | number): Promise<RateLimiterRes> {
    this.#onUse()
    return super.consume(key)
  }
}
