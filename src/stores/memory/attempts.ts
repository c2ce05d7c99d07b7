import type { AttemptStore } from '../../accounts/attempt-store.ts'
import { toAttemptStore } from '../attempts.ts'
import { BoundedCounts } from './bounded-counts.ts'

/** Counts of a single process. */
export const createMemoryAttempts = (): AttemptStore => {
  // Each count is given its own duration.
  const limiter = new BoundedCounts({ points: 1, duration: 1 })
  const store = toAttemptStore(() => limiter)
  return { ...store, erase: store.forget }
}
