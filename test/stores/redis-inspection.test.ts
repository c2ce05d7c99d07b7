import { Redis } from 'ioredis'
import { test } from 'tap'
import { inspectRedis } from '../../src/stores/redis/inspection.ts'
import { startRedisCluster, startRedisServer } from '../support/redis-server.ts'
import { redisServers } from '../support/redis-servers.ts'
import { startService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

test('a start with a Redis that may evict keys is warned of, once', async (t) => {
  const redis = await startRedisServer(t)
  const admin = new Redis(redis.url)
  t.teardown(() => admin.disconnect())
  await admin.config('SET', 'maxmemory-policy', 'volatile-lru')
  const { log } = await startService(t, { REDIS_URL: redis.url })
  const warnings = () =>
    log.filter((line) => line.includes('may evict')).map((line) => JSON.parse(line))
  await waitUntil('the warning', () => warnings().length > 0)
  t.match(warnings(), [{ level: 'warn', memoryPolicy: 'volatile-lru' }])
})

test('of a cluster every master is asked', async (t) => {
  const ports = await startRedisCluster(t)
  const servers = await inspectRedis(redisServers(`redis-cluster://127.0.0.1:${ports[0]}`), 3000)
  t.strictSame(
    servers.map(({ node, memoryPolicy }) => ({ node, memoryPolicy })).sort(byNode),
    ports.map((port) => ({ node: `127.0.0.1:${port}`, memoryPolicy: 'noeviction' })).sort(byNode),
  )
})

const byNode = (a: { node: string }, b: { node: string }): number => (a.node < b.node ? -1 : 1)
