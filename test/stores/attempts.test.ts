import t, { type Test, test } from 'tap'
import type { AttemptStore } from '../../src/accounts/attempt-store.ts'
import { Unavailable } from '../../src/oauth/unavailable.ts'
import { toAttemptStore } from '../../src/stores/attempts.ts'
import { createMemoryAttempts } from '../../src/stores/memory/attempts.ts'
import { BoundedCounts } from '../../src/stores/memory/bounded-counts.ts'
import { createRedisAttempts } from '../../src/stores/redis/attempts.ts'
import { createRedisClient } from '../../src/stores/redis/connection.ts'
import { createTestRedis } from '../support/redis.ts'
import { startRedisCluster } from '../support/redis-server.ts'
import { redisServers } from '../support/redis-servers.ts'
import { waitUntil } from '../support/wait-until.ts'

const connect = async (t: Test, url: string) => {
  const client = createRedisClient(redisServers(url), 1000)
  t.teardown(() => client.disconnect())
  await client.connect()
  return client
}

const openRedis = async (t: Test, isAway = () => false) => {
  const { url, prefix } = await createTestRedis(t)
  const client = await connect(t, url)
  const keyPrefix = prefix.slice(0, -1)
  return { client, keyPrefix, store: createRedisAttempts({ client, keyPrefix, isAway }) }
}

// Started when the first rule asks for it; each rule has keys of its own.
let clusterUrl: Promise<string> | undefined
const startCluster = async (): Promise<string> => {
  const ports = await startRedisCluster(t)
  return `redis-cluster://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`
}

/**
 * Two processes that take turns, so that nothing holds that one of them would have counted alone.
 */
const takingTurns = (stores: readonly [AttemptStore, AttemptStore]): AttemptStore => {
  let turn = 0
  const next = (): AttemptStore => stores[turn++ % 2 === 0 ? 0 : 1]
  return {
    add: (...parameters) => next().add(...parameters),
    takeBack: (...parameters) => next().takeBack(...parameters),
    set: (...parameters) => next().set(...parameters),
    forget: (...parameters) => next().forget(...parameters),
    erase: (...parameters) => next().erase(...parameters),
  }
}

const openTwo = async (t: Test, url: string, keyPrefix: string): Promise<AttemptStore> => {
  const open = async () => {
    const client = await connect(t, url)
    await waitUntil('Redis', () => client.status === 'ready')
    return createRedisAttempts({ client, keyPrefix, isAway: () => false })
  }
  return takingTurns([await open(), await open()])
}

const backends: Record<string, (t: Test) => Promise<AttemptStore>> = {
  'in memory': async () => createMemoryAttempts(),
  'in Redis': async (t) => {
    const { url, prefix } = await createTestRedis(t)
    return openTwo(t, url, prefix.slice(0, -1))
  },
  'in a Redis cluster': async (t) => {
    clusterUrl ??= startCluster()
    return openTwo(t, await clusterUrl, `tessera:${crypto.randomUUID()}`)
  },
}

for (const [name, open] of Object.entries(backends)) {
  test(`counts ${name}: each adds one, whoever is at it beside`, async (t) => {
    const store = await open(t)
    const counted = await Promise.all(Array.from({ length: 20 }, () => store.add('key', 60)))
    t.strictSame(
      counted.map(({ count }) => count).sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, index) => index + 1),
    )
    for (const { secondsLeft } of counted) t.ok(secondsLeft > 50 && secondsLeft <= 60)
    t.equal((await store.add('other', 60)).count, 1)
  })

  test(`counts ${name}: one can be taken back, set and forgotten`, async (t) => {
    const store = await open(t)
    await store.add('key', 60)
    await store.takeBack('key', 60)
    t.equal((await store.add('key', 60)).count, 1)
    await store.set('key', 1000, 300)
    const { count, secondsLeft } = await store.add('key', 60)
    t.equal(count, 1001)
    t.ok(secondsLeft > 290 && secondsLeft <= 300, 'what was set stands as long as was said')
    await store.forget('key')
    t.equal((await store.add('key', 60)).count, 1)
    await store.erase('key')
    t.equal((await store.add('key', 60)).count, 1)
  })

  test(`counts ${name}: they are forgotten when their time is over`, async (t) => {
    const store = await open(t)
    await store.add('key', 1)
    await store.set('locked', 1000, 1)
    for (const key of ['key', 'locked']) {
      await waitUntil(`${key} to be forgotten`, async () => {
        const { count } = await store.add(key, 60)
        return count <= 2
      })
    }
  })
}

test('counts are shared by all processes on one Redis, and every key has an end', async (t) => {
  const { client, keyPrefix, store } = await openRedis(t)
  const other = createRedisAttempts({ client, keyPrefix, isAway: () => false })
  await store.add('key', 60)
  t.equal((await other.add('key', 60)).count, 2)
  await store.set('locked', 5, 60)
  const keys = await client.keys(`${keyPrefix}*`)
  t.equal(keys.length, 2)
  for (const key of keys) t.ok((await client.ttl(key)) > 0)
})

test('counting goes on in the process while Redis is away, without waiting for it', async (t) => {
  let away = false
  const { client, store } = await openRedis(t, () => away)
  await store.add('key', 60)
  client.disconnect()
  t.equal((await store.add('key', 60)).count, 1, 'a connection that breaks')
  away = true
  t.equal((await store.add('key', 60)).count, 2, 'one that is known to be broken')
})

test('what an operator erases is gone for all processes, or the operator is told', async (t) => {
  const { url, prefix } = await createTestRedis(t)
  const keyPrefix = prefix.slice(0, -1)
  const client = await connect(t, url)
  const store = createRedisAttempts({ client, keyPrefix, isAway: () => false })
  await store.set('locked', 1000, 60)

  // Somebody who has not connected yet, and thinks that Redis is away.
  const late = createRedisClient(redisServers(url), 1000)
  t.teardown(() => late.disconnect())
  const operator = createRedisAttempts({ client: late, keyPrefix, isAway: () => true })
  const erased = operator.erase('locked')
  await late.connect()
  await erased
  t.equal((await store.add('locked', 60)).count, 1)

  client.disconnect()
  await t.rejects(store.erase('locked'), Unavailable)
})

test('a process keeps a bounded number of counts, and locks longer than others', async (t) => {
  const limiter = new BoundedCounts({ points: 1, duration: 60 }, 10)
  const store = toAttemptStore(() => limiter)
  await store.set('locked', 1000, 60)
  for (let index = 0; index < 100; index += 1) await store.add(`${index}`, 60)
  t.equal((await store.add('locked', 60)).count, 1001)
  t.equal((await store.add('99', 60)).count, 2, 'the newest are kept')
  t.equal((await store.add('90', 60)).count, 1, 'the oldest are not')
  for (let index = 0; index < 100; index += 1) await store.set(`lock ${index}`, 1000, 60)
  t.equal((await store.add('lock 99', 60)).count, 1001)
  t.equal((await store.add('locked', 60)).count, 1)
})
