import type { Bus } from '../revocation/bus.ts'
import type { Revocations } from '../revocation/revocations.ts'

/** Whether the service takes requests, and what it has to do without. */
export type Health = {
  /** `draining`: it finishes what runs and takes nothing new. */
  state(): 'ready' | 'draining'
  /** Names of what does not answer: `database`, `redis`. */
  degraded(): readonly string[]
  drain(): void
}

/** A database that the poller has not reached for so long is down, in milliseconds. */
const databaseSilenceMs = 3000

export const createHealth = (parts: {
  readonly revocations: Pick<Revocations, 'stalenessMs'>
  readonly bus: Pick<Bus, 'problem'>
}): Health => {
  let state: 'ready' | 'draining' = 'ready'
  return {
    state: () => state,
    degraded: () => [
      ...(parts.revocations.stalenessMs() > databaseSilenceMs ? ['database'] : []),
      ...(parts.bus.problem() === undefined ? [] : ['redis']),
    ],
    drain: () => {
      state = 'draining'
    },
  }
}
