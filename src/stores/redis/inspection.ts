import { Cluster, type Redis } from 'ioredis'
import type { RedisServers } from '../../config.ts'
import { createRedisClient, type RedisClient } from './connection.ts'

/** What a Redis server says of itself. */
export type RedisFacts = {
  /** host:port of a cluster's node; empty of a single server. */
  readonly node: string
  /** Such as `7.0.15`; Valkey names the Redis that it is compatible with. */
  readonly version: string
  readonly memoryPolicy: string
  /** Of a PING, in milliseconds. */
  readonly latencyMs: number
}

/**
 * Asks every master that REDIS_URL leads to, on a connection of its own.
 * @throws when one does not answer in time.
 */
export const inspectRedis = async (
  servers: RedisServers,
  timeoutMs: number,
): Promise<RedisFacts[]> => {
  const client = createRedisClient(servers, timeoutMs)
  client.on('error', () => {})
  try {
    await client.connect()
    return await Promise.all(nodesOf(client).map(inspectNode))
  } finally {
    client.disconnect()
  }
}

const nodesOf = (client: RedisClient): Redis[] =>
  client instanceof Cluster ? client.nodes('master') : [client]

const inspectNode = async (node: Redis): Promise<RedisFacts> => {
  const started = performance.now()
  await node.ping()
  const latencyMs = performance.now() - started
  const info = await node.info()
  const read = (name: string): string =>
    new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? ''
  const isNode = read('redis_mode') === 'cluster'
  return {
    node: isNode ? `${node.options.host}:${node.options.port}` : '',
    version: read('redis_version'),
    memoryPolicy: read('maxmemory_policy'),
    latencyMs,
  }
}

/** Whether the server may throw away what the service has stored before its time. */
export const mayEvict = ({ memoryPolicy }: Pick<RedisFacts, 'memoryPolicy'>): boolean =>
  memoryPolicy !== 'noeviction'
