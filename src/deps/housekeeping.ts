import { createHousekeeping, type Housekeeping } from '../jobs/housekeeping.ts'
import type { Foundation } from './foundation.ts'

/** Upkeep of the tables, which every node does and counts. */
export const joinHousekeeping = ({ config, logger, metrics, stores }: Foundation): Housekeeping =>
  createHousekeeping({
    chores: [
      ...stores.chores,
      { name: 'users', run: () => stores.users.purge(config.userPurgeDays) },
    ],
    intervalMs: 60_000,
    onDone: (chore, count) => {
      metrics.count('pruned', { chore }, count)
      logger.debug({ chore, count }, 'housekeeping')
    },
    onFailure: (chore, error) => {
      metrics.count('housekeepingFailures', { chore })
      logger.warn({ chore, err: error }, 'housekeeping failed')
    },
  })
