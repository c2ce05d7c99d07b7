import { Cluster, Redis } from 'ioredis'
import type { RedisServers } from '../../config.ts'

export type RedisClient = Redis | Cluster

const shared = (commandTimeoutMs: number) => ({
  commandTimeout: commandTimeoutMs,
  connectTimeout: 3000,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 1,
  lazyConnect: true,
  retryStrategy: (attempt: number) => Math.min(100 * attempt, 1000),
})

/** A client for what REDIS_URL names. It connects by itself, and again after failures. */
export const createRedisClient = (servers: RedisServers, commandTimeoutMs: number): RedisClient => {
  const { kind, username, password } = servers
  const options = shared(commandTimeoutMs)
  const credentials = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  }
  if (kind === 'cluster') return createCluster(servers, { ...options, ...credentials })
  if (kind === 'sentinel') {
    const { nodes, masterName: name } = servers
    return new Redis({ ...options, ...credentials, sentinels: [...nodes], name })
  }
  const tls = servers.tls ? { tls: {} } : {}
  return new Redis({
    ...options,
    ...credentials,
    ...tls,
    ...servers.nodes[0],
    db: servers.database,
  })
}

const createCluster = (
  { nodes }: RedisServers,
  options: ReturnType<typeof shared> & { username?: string; password?: string },
): Cluster => {
  const { enableOfflineQueue, lazyConnect, maxRetriesPerRequest, retryStrategy, ...redisOptions } =
    options
  return new Cluster([...nodes], {
    enableOfflineQueue,
    lazyConnect,
    clusterRetryStrategy: retryStrategy,
    redisOptions,
  })
}
