import { createAccountDigest } from '../accounts/account-digest.ts'
import { createKnownDevices } from '../accounts/known-device.ts'
import { createLockout } from '../accounts/lockout.ts'
import type { MacKeys } from '../secrets/refresh-token.ts'
import { createMemoryAttempts } from '../stores/memory/attempts.ts'
import { createRedisAttempts } from '../stores/redis/attempts.ts'
import type { Foundation } from './foundation.ts'

/** What stands between a guesser and the passwords. */
export const joinLockout = (
  { config, sharedState, clock, auditWriter }: Foundation,
  macKeys: MacKeys,
) => {
  const { redis } = sharedState
  return {
    knownDevices: createKnownDevices(macKeys, clock),
    lockout: createLockout({
      config,
      store: redis === undefined ? createMemoryAttempts() : createRedisAttempts(redis),
      digest: createAccountDigest(macKeys),
      auditWriter,
    }),
  }
}
