import { Cluster, Redis } from 'ioredis'

export type RedisClient = Redis | Cluster

const shared = (commandTimeoutMs: number) => ({
  commandTimeout: commandTimeoutMs,
  connectTimeout: 3000,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 1,
  lazyConnect: true,
  retryStrategy: (attempt: number) => Math.min(100 * attempt, 1000),
})

/** `host:port,host:port` as nodes; the port may be left out. */
const nodesOf = (list: string, port: number) =>
  list.split(',').map((node) => {
    const { hostname, port: given } = new URL(`redis://${node}`)
    return { host: hostname.replace(/^\[|\]$/g, ''), port: given === '' ? port : Number(given) }
  })

/**
 * A client for one server (`redis://`, `rediss://`), behind Sentinels
 * (`redis-sentinel://[password@]host:26379,host/name`) or for a cluster
 * (`redis-cluster://[password@]host:6379,host`). It connects by itself, and again after failures.
 */
export const createRedisClient = (url: string, commandTimeoutMs: number): RedisClient => {
  const options = shared(commandTimeoutMs)
  const parts = /^(redis-sentinel|redis-cluster):\/\/(?:([^@/]*)@)?([^/]+)(?:\/(.*))?$/.exec(url)
  if (parts === null) return new Redis(url, options)
  const [, scheme, credentials = '', list = '', name = ''] = parts
  const password = decodeURIComponent(credentials.replace(/^.*:/, '')) || undefined
  return scheme === 'redis-sentinel'
    ? new Redis({
        ...options,
        sentinels: nodesOf(list, 26_379),
        name: name || 'mymaster',
        ...(password === undefined ? {} : { password }),
      })
    : new Cluster(nodesOf(list, 6379), {
        enableOfflineQueue: false,
        lazyConnect: true,
        clusterRetryStrategy: options.retryStrategy,
        redisOptions: {
          commandTimeout: options.commandTimeout,
          connectTimeout: options.connectTimeout,
          ...(password === undefined ? {} : { password }),
        },
      })
}
