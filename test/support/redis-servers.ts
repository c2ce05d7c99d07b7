import { parseRedisUrl } from '../../src/config/redis-url.ts'
import type { RedisServers } from '../../src/config.ts'

/** What a URL of a test's Redis says. */
export function redisServers(url: string): RedisServers {
  const servers = parseRedisUrl(url)
  if (servers === undefined) throw new Error('not a URL of Redis')
  return servers
}
