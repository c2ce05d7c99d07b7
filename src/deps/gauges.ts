import type { Health } from '../jobs/health.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import { addGauges } from '../observability/gauges.ts'
import type { PasswordHasher } from '../secrets/password-hasher.ts'
import type { Storage } from '../stores/storage.ts'
import type { Foundation } from './foundation.ts'

type Parts = {
  readonly storage: Pick<Storage, 'poolUse'>
  readonly hasher: Pick<PasswordHasher, 'queueDepth'>
  readonly keyRing: Pick<KeyRing, 'ages'>
  readonly health: Health
}

/** Lets the metrics read what the parts know of themselves. */
export const joinGauges = (foundation: Foundation, parts: Parts): void => {
  const { config, metrics, auditWriter, revocations } = foundation
  addGauges(metrics.registry, {
    passwordsWaiting: parts.hasher.queueDepth,
    auditEventsWaiting: auditWriter.waiting,
    auditEventsDropped: auditWriter.dropped,
    poolUse: parts.storage.poolUse,
    revocationLagMs: revocations.stalenessMs,
    isReady: () => parts.health.state() === 'ready',
    dependencies: config.redisServers === undefined ? ['database'] : ['database', 'redis'],
    degraded: parts.health.degraded,
    signingKeys: parts.keyRing.ages,
  })
}
