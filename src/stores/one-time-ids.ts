import type { Clock } from '../clock.ts'
import type { OneTimeIds } from '../secrets/one-time-ids.ts'
import { digestOneTimeId } from './one-time-digest.ts'
import type { StoredOneTimeIds } from './postgres/one-time-ids.ts'
import type { RedisOneTimeIds } from './redis/one-time-ids.ts'

type Options = {
  readonly redis: RedisOneTimeIds
  readonly database: Pick<StoredOneTimeIds, 'useDigest'>
  /** Whether Redis is known not to answer; then nobody waits for it. */
  readonly isAway: () => boolean
  readonly clock: Clock
  /** Milliseconds of a clock that never goes back. */
  readonly uptimeMs?: () => number
}

/** After a failure so long nobody tries again, so that not every request waits in vain. */
const pauseMs = 1000
/** Other nodes may notice later that Redis is back; until then both are asked. */
const overlapMs = 10_000

/**
 * Ids in Redis, and in the database while Redis does not answer. What was issued before a change
 * from one to the other may have been used in the one that is not asked any more, and is refused.
 */
export const createOneTimeIds = ({
  redis,
  database,
  isAway,
  clock,
  uptimeMs = () => performance.now(),
}: Options): OneTimeIds => {
  let leftRedisAt: Date | undefined
  let pausedUntil = Number.NEGATIVE_INFINITY
  let bothUntil = Number.NEGATIVE_INFINITY

  const leaveRedis = (): Date => {
    leftRedisAt ??= clock()
    return leftRedisAt
  }
  const returnToRedis = async (): Promise<void> => {
    await redis.forgetBefore(clock())
    leftRedisAt = undefined
    bothUntil = uptimeMs() + overlapMs
  }
  const askRedis = async (digest: Buffer, issuedAt: Date, expiresAt: Date) => {
    if (isAway() || uptimeMs() < pausedUntil) return undefined
    try {
      if (leftRedisAt !== undefined) await returnToRedis()
      return await redis.use(digest, issuedAt, expiresAt)
    } catch {
      pausedUntil = uptimeMs() + pauseMs
      return undefined
    }
  }

  return {
    async use(kind, id, issuedAt, expiresAt) {
      const digest = digestOneTimeId(kind, id)
      const answer = await askRedis(digest, issuedAt, expiresAt)
      if (answer === undefined) {
        return issuedAt >= leaveRedis() && database.useDigest(digest, expiresAt)
      }
      if (answer !== 'first') return false
      // Redis has it: without the database nothing is lost but what late nodes would tell.
      return uptimeMs() < bothUntil ? database.useDigest(digest, expiresAt).catch(() => true) : true
    },
  }
}
