import type { Config } from '../../config.ts'
import { inspectRedis, mayEvict, type RedisFacts } from '../../stores/redis/inspection.ts'
import { type Finding, failed, fine, reasonOf, warning } from './finding.ts'

type Settings = Pick<Config, 'redisServers' | 'redisCommandTimeoutMs' | 'production'>

/** More time than a command has in service: that it is slow is to be said, not only that it is. */
const longestWaitMs = 3000

/** Whether Redis answers, soon enough, and keeps what it is given. */
export const examineRedis = async (settings: Settings): Promise<Finding[]> => {
  if (settings.redisServers === undefined) return [unset(settings)]
  try {
    const servers = await inspectRedis(settings.redisServers, longestWaitMs)
    return servers.flatMap((server) => examine(server, settings.redisCommandTimeoutMs))
  } catch (error) {
    return [
      failed(
        'redis',
        `Redis cannot be used: ${reasonOf(error)}`,
        'Check REDIS_URL and that the server runs; until then limits count for each process alone',
      ),
    ]
  }
}

const unset = ({ production }: Settings): Finding =>
  production
    ? warning(
        'redis',
        'REDIS_URL is not set: limits count for each process alone',
        'Set it as soon as there is more than one process',
      )
    : fine('redis', 'REDIS_URL is not set: what is shared stays in the process')

const examine = (server: RedisFacts, timeoutMs: number): Finding[] => {
  const name = server.node === '' ? 'Redis' : `Redis at ${server.node}`
  const faults = [
    ...examineVersion(server, name),
    ...examinePolicy(server, name),
    ...examineLatency(server, name, timeoutMs),
  ]
  if (faults.length > 0) return faults
  const latency = server.latencyMs.toFixed(1)
  return [fine('redis', `${name} ${server.version} answers in ${latency} ms`)]
}

const examineVersion = ({ version }: RedisFacts, name: string): Finding[] =>
  Number.parseInt(version, 10) >= 7
    ? []
    : [failed('redis', `${name} ${version} is too old`, 'Upgrade to Redis 7 or Valkey')]

const examinePolicy = (server: RedisFacts, name: string): Finding[] =>
  mayEvict(server)
    ? [
        failed(
          'redis memory',
          `${name} may evict keys before their time: its maxmemory-policy is ${server.memoryPolicy}`,
          'Set it to noeviction (CONFIG SET maxmemory-policy noeviction, and in its configuration)',
        ),
      ]
    : []

const examineLatency = ({ latencyMs }: RedisFacts, name: string, timeoutMs: number): Finding[] => {
  if (latencyMs * 2 < timeoutMs) return []
  return [
    warning(
      'redis latency',
      `${name} took ${Math.round(latencyMs)} ms to answer, and is given ${timeoutMs} ms in service`,
      'Look for load and distance, or raise REDIS_COMMAND_TIMEOUT_MS',
    ),
  ]
}
