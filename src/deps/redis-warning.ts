import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { inspectRedis, mayEvict } from '../stores/redis/inspection.ts'
import type { Storage } from '../stores/storage.ts'

const longestWaitMs = 3000

/**
 * Says once at start when Redis may throw away what it was given before its time: a replay that was
 * forgotten is a replay let through. One that does not answer now is told of elsewhere.
 */
export const warnOfEviction = async ({ redisServers }: Config, logger: Logger): Promise<void> => {
  if (redisServers === undefined) return
  const servers = await inspectRedis(redisServers, longestWaitMs).catch(() => [])
  for (const { memoryPolicy, node } of servers.filter(mayEvict)) {
    logger.warn(
      { memoryPolicy, ...(node === '' ? {} : { node }) },
      'Redis may evict keys before their time: set its maxmemory-policy to noeviction',
    )
  }
}

/** Says at start that there is nothing that nodes count in together, where there may be several. */
export const tellOfLoneCounts = (
  { redisServers }: Config,
  mode: Storage['mode'],
  logger: Logger,
): void => {
  if (mode !== 'server' || redisServers !== undefined) return
  logger.info('REDIS_URL is not set: limits and lockouts are counted by each process alone')
}
