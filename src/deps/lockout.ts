import { createAccountDigest } from '../accounts/account-digest.ts'
import { createKnownDevices } from '../accounts/known-device.ts'
import { createLockout } from '../accounts/lockout.ts'
import { countLockouts } from '../observability/observed.ts'
import { createCsrfTokens } from '../secrets/csrf-token.ts'
import type { MacKeys } from '../secrets/refresh-token.ts'
import { createMemoryAttempts } from '../stores/memory/attempts.ts'
import { createRedisAttempts } from '../stores/redis/attempts.ts'
import type { Foundation } from './foundation.ts'

/** What stands between a stranger and the sessions and passwords of others. */
export const joinLockout = (
  { config, sharedState, clock, auditWriter, metrics }: Foundation,
  macKeys: MacKeys,
) => {
  const { redis } = sharedState
  return {
    knownDevices: createKnownDevices(macKeys, clock),
    csrfTokens: createCsrfTokens(macKeys),
    lockout: createLockout({
      config,
      store: redis === undefined ? createMemoryAttempts() : createRedisAttempts(redis),
      digest: createAccountDigest(macKeys),
      auditWriter: countLockouts(auditWriter, metrics.count),
    }),
  }
}
