import { Redis } from 'ioredis'
import { type Test, test } from 'tap'
import { loadConfig } from '../../src/config.ts'
import type { RateLimiter } from '../../src/plugins/rate-limiter.ts'
import { createMemoryRateLimiter } from '../../src/stores/memory/rate-limiter.ts'
import { createRedisClient, type RedisClient } from '../../src/stores/redis/connection.ts'
import { createRedisRateLimiter } from '../../src/stores/redis/rate-limiter.ts'
import { createTestRedis } from '../support/redis.ts'
import { startRedisCluster, startRedisServer, startSentinel } from '../support/redis-server.ts'
import { redisServers } from '../support/redis-servers.ts'
import { waitUntil } from '../support/wait-until.ts'

const limitsOf = (variables: Record<string, string>) => loadConfig(variables, () => '').rateLimits

const connectRedis = async (t: Test, url: string, timeoutMs = 5000): Promise<RedisClient> => {
  const client = createRedisClient(redisServers(url), timeoutMs)
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  await client.connect()
  await waitUntil('Redis', () => client.status === 'ready')
  return client
}

const openOnRedis = async (
  t: Test,
  url: string,
  variables: Record<string, string>,
  options: { keyPrefix?: string; isAway?: () => boolean } = {},
): Promise<RateLimiter> => {
  const client = await connectRedis(t, url)
  const known = { client, keyPrefix: 'tessera:test', commandTimeoutMs: 5000, isAway: () => false }
  return createRedisRateLimiter({ ...known, limits: limitsOf(variables), ...options })
}

const backends: Record<
  string,
  (t: Test, variables: Record<string, string>) => Promise<RateLimiter>
> = {
  memory: async (_t, variables) => createMemoryRateLimiter(limitsOf(variables)),
  Redis: async (t, variables) => {
    const { url, prefix: keyPrefix } = await createTestRedis(t)
    return openOnRedis(t, url, variables, { keyPrefix })
  },
}

for (const [name, open] of Object.entries(backends)) {
  test(`limits in ${name}: so many requests pass and no more, however many come at once`, async (t) => {
    const limiter = await open(t, { RATE_LIMIT_SIGN_IN: '5/60' })
    const counts = await Promise.all(
      Array.from({ length: 40 }, () => limiter.count('sign_in', 'account', 'a')),
    )
    t.equal(counts.filter((count) => count?.isOver === false).length, 5)
    t.strictSame(
      counts.flatMap((count) => (count?.isOver === false ? [count.remaining] : [])).sort(),
      [0, 1, 2, 3, 4],
    )
    for (const count of counts) {
      t.ok(count !== undefined && count.resetMs > 0 && count.resetMs <= 60_000)
      if (count?.isOver) t.equal(count.remaining, 0)
    }
  })

  test(`limits in ${name}: each profile, each kind of key and each key has its own count`, async (t) => {
    const limiter = await open(t, { RATE_LIMIT_SIGN_IN: '1/60', RATE_LIMIT_TOKEN: '1/60' })
    const apart: readonly Parameters<RateLimiter['count']>[] = [
      ['sign_in', 'account', 'a'],
      ['sign_in', 'account', 'b'],
      ['sign_in', 'address', 'a'],
      ['token', 'client', 'a'],
    ]
    for (const key of apart) t.equal((await limiter.count(...key))?.isOver, false)
    for (const key of apart) t.equal((await limiter.count(...key))?.isOver, true)
  })

  test(`limits in ${name}: when the window is over it begins anew`, async (t) => {
    const limiter = await open(t, { RATE_LIMIT_REFRESH: '1/1' })
    const isOver = async () => (await limiter.count('refresh', 'family', 'a'))?.isOver
    await waitUntil('the limit', isOver)
    await waitUntil('the next window', async () => (await isOver()) === false)
    await waitUntil('the limit again', isOver)
  })

  test(`limits in ${name}: one that is switched off counts nothing`, async (t) => {
    const limiter = await open(t, { RATE_LIMIT_ADMIN: 'off' })
    t.equal(await limiter.count('admin', 'address', 'a'), undefined)
  })
}

test('limits in memory: a flood of keys takes bounded memory, and nobody who was counted is let go', async (t) => {
  const limiter = createMemoryRateLimiter(limitsOf({ RATE_LIMIT_DEFAULT: '3/3600' }))
  const pass = async (key: string) => !(await limiter.count('default', 'address', key))?.isOver
  t.strictSame(await Promise.all([1, 2, 3].map(() => pass('early'))), [true, true, true])
  let passed = 0
  for (let index = 0; index < 80_000; index += 1) {
    if (await pass(`2001:db8:${index}::/64`)) passed += 1
  }
  t.ok(passed < 55_000, `${passed} of the flood passed`)
  t.equal(await pass('early'), false, 'who came before the flood keeps the count')
})

const countTogether = async (t: Test, url: string): Promise<void> => {
  const variables = { RATE_LIMIT_TOKEN: '4/60' }
  const nodes = [await openOnRedis(t, url, variables), await openOnRedis(t, url, variables)]
  const passed: boolean[] = []
  for (let index = 0; index < 10; index += 1) {
    passed.push(!(await nodes[index % 2]?.count('token', 'client', 'a'))?.isOver)
  }
  t.strictSame(passed, [true, true, true, true, ...new Array(6).fill(false)])
}

test('limits on Redis: two nodes count together on one server', async (t) => {
  const { url } = await startRedisServer(t)
  await countTogether(t, url)
})

test('limits on Redis: two nodes count together behind Sentinels', async (t) => {
  const port = await startSentinel(t, 'main', await startRedisServer(t))
  await countTogether(t, `redis-sentinel://127.0.0.1:${port}/main`)
})

test('limits on Redis: two nodes count together in a cluster', async (t) => {
  const ports = await startRedisCluster(t)
  await countTogether(t, `redis-cluster://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`)
})

test('limits on Redis: a request is one round trip, one over the limit none', async (t) => {
  const { url } = await startRedisServer(t)
  const limiter = await openOnRedis(t, url, { RATE_LIMIT_TOKEN: '10/60' })
  const admin = new Redis(url)
  t.teardown(() => admin.disconnect())
  await limiter.count('token', 'client', 'first')
  await admin.config('RESETSTAT')
  for (let index = 0; index < 30; index += 1) await limiter.count('token', 'client', 'a')
  const calls = /cmdstat_evalsha:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1]
  t.equal(Number(calls), 11)
})

test('limits on Redis: every key that is left there has a time to live', async (t) => {
  const { url, prefix } = await createTestRedis(t)
  const limiter = await openOnRedis(t, url, { RATE_LIMIT_TOKEN: '1/60' }, { keyPrefix: prefix })
  for (let index = 0; index < 3; index += 1) await limiter.count('token', 'client', 'a')
  const redis = new Redis(url)
  t.teardown(() => redis.disconnect())
  const keys = await redis.keys(`${prefix}*`)
  t.strictSame(keys, [`${prefix}:limit:token:client:a`])
  for (const key of keys) t.ok((await redis.ttl(key)) > 0)
})

test('limits on Redis: what it does not answer in time is counted in the process, and then nobody waits', async (t) => {
  const server = await startRedisServer(t)
  const client = await connectRedis(t, server.url, 100)
  let now = 0
  const limiter = createRedisRateLimiter({
    ...{ client, keyPrefix: 'tessera:test', commandTimeoutMs: 100, isAway: () => false },
    limits: limitsOf({ RATE_LIMIT_TOKEN: '3/60' }),
    uptimeMs: () => now,
  })
  const count = () => limiter.count('token', 'client', 'a')
  t.equal((await count())?.remaining, 2)

  server.pause()
  const waited = await millisecondsOf(async () => {
    t.equal((await count())?.remaining, 2, 'the process begins from nothing')
  })
  t.ok(waited >= 90 && waited < 1000, `one waits: ${waited} ms`)
  const others = await millisecondsOf(async () => {
    t.equal((await count())?.remaining, 1)
    t.equal((await count())?.remaining, 0)
    t.equal((await count())?.isOver, true)
  })
  t.ok(others < 90, `the others do not: ${others} ms`)

  server.resume()
  await waitUntil('Redis', () => client.ping())
  t.equal((await count())?.isOver, true, 'within a second nobody asks it again')
  now = 1001
  t.equal((await count())?.isOver, false, 'then it goes on with its own count')
})

test('limits on Redis: while it is known to be away nobody asks it', async (t) => {
  const { url } = await createTestRedis(t)
  let away = true
  const limiter = await openOnRedis(
    t,
    url,
    { RATE_LIMIT_TOKEN: '2/60' },
    { keyPrefix: `tessera:${crypto.randomUUID()}`, isAway: () => away },
  )
  const count = () => limiter.count('token', 'client', 'a')
  t.equal((await count())?.remaining, 1)
  t.equal((await count())?.remaining, 0)
  away = false
  t.equal((await count())?.remaining, 1, 'it has not heard of them')
  away = true
  t.equal((await count())?.isOver, true)
})

const millisecondsOf = async (act: () => Promise<void>): Promise<number> => {
  const begin = performance.now()
  await act()
  return performance.now() - begin
}
