import type { OneTimeIds } from '../secrets/one-time-ids.ts'
import { createOneTimeIds } from '../stores/one-time-ids.ts'
import { createRedisOneTimeIds } from '../stores/redis/one-time-ids.ts'
import type { Foundation } from './foundation.ts'

/** Far enough for a row that says for ever that Redis has once been in use. */
const never = new Date('9999-01-01T00:00:00Z')

/** Ids that are good once: in Redis where there is one, else in the database. */
export const joinOneTimeIds = ({ sharedState, stores, clock }: Foundation): OneTimeIds => {
  const database = stores.oneTimeIds
  if (sharedState.redis === undefined) return database
  const redis = createRedisOneTimeIds({
    ...{ ...sharedState.redis, clock },
    isFirst: (part) => database.useDigest(part, never),
  })
  return createOneTimeIds({ redis, database, isAway: sharedState.redis.isAway, clock })
}
