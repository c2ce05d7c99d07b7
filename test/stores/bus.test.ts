import { Redis } from 'ioredis'
import { type Test, test } from 'tap'
import type { Bus } from '../../src/revocation/bus.ts'
import { createMemoryBus } from '../../src/stores/memory/bus.ts'
import { createRedisBus } from '../../src/stores/redis/bus.ts'
import { createTestRedis } from '../support/redis.ts'
import { startRedisServer } from '../support/redis-server.ts'
import { redisServers } from '../support/redis-servers.ts'
import { waitUntil } from '../support/wait-until.ts'

/** Counts what a bus tells. */
const listen = (bus: Bus) => {
  const heard = { revocations: 0, keys: 0, clients: 0 }
  for (const topic of ['revocations', 'keys', 'clients'] as const) {
    bus.subscribe(topic, () => {
      heard[topic] += 1
    })
  }
  return heard
}

const openRedisBus = async (t: Test, url: string, channel: string) => {
  const bus = createRedisBus({
    servers: redisServers(url),
    channel,
    commandTimeoutMs: 1000,
    onProblem: () => {},
  })
  t.teardown(() => bus.close())
  const heard = listen(bus)
  await waitUntil('the subscription', () => bus.problem() === undefined && heard.keys > 0)
  return { bus, heard }
}

test('bus in memory: a hint reaches the listeners of its topic and no others', async (t) => {
  const bus = createMemoryBus()
  const heard = listen(bus)
  bus.publish('keys')
  t.strictSame(heard, { revocations: 0, keys: 1, clients: 0 })
  t.equal(bus.problem(), undefined)
  await bus.close()
  bus.publish('keys')
  t.equal(heard.keys, 1)
})

test('bus on Redis: a hint reaches the other node, on its topic alone', async (t) => {
  const { url, prefix } = await createTestRedis(t)
  const one = await openRedisBus(t, url, prefix)
  const other = await openRedisBus(t, url, prefix)
  const before = { ...other.heard }
  await waitUntil('the hint', () => {
    one.bus.publish('revocations')
    return other.heard.revocations > before.revocations
  })
  t.equal(other.heard.clients, before.clients)
})

test('bus on Redis: services that share a Redis do not hear each other', async (t) => {
  const { url, prefix } = await createTestRedis(t)
  const one = await openRedisBus(t, url, `${prefix}one`)
  const same = await openRedisBus(t, url, `${prefix}one`)
  const other = await openRedisBus(t, url, `${prefix}other`)
  const before = other.heard.keys
  await waitUntil('the hint', () => {
    one.bus.publish('keys')
    return same.heard.keys > 1
  })
  t.equal(other.heard.keys, before)
})

test('bus on Redis: whatever is not a topic is ignored', async (t) => {
  const { url, prefix } = await createTestRedis(t)
  const { heard } = await openRedisBus(t, url, prefix)
  const before = { ...heard }
  const stranger = new Redis(url)
  t.teardown(() => stranger.disconnect())
  for (const message of ['', 'shutdown', '{"kind":"sub"}', 'x'.repeat(100_000)]) {
    await stranger.publish(prefix, message)
  }
  await stranger.publish(prefix, 'clients')
  await waitUntil('the one good message', () => heard.clients > before.clients)
  t.strictSame({ ...heard, clients: before.clients }, before)
})

test('bus on Redis: an unreachable server is a problem that is told, and nothing else', async (t) => {
  const problems: Error[] = []
  const bus = createRedisBus({
    servers: redisServers('redis://127.0.0.1:1'),
    channel: 'tessera:test',
    commandTimeoutMs: 100,
    onProblem: (error) => void problems.push(error),
  })
  t.teardown(() => bus.close())
  bus.publish('keys')
  await waitUntil('the problem', () => problems.length > 0)
  t.type(bus.problem(), 'string')
})

test('bus on Redis: a server that stops answering is a problem, until it answers again', async (t) => {
  const server = await startRedisServer(t)
  const one = await openRedisBus(t, server.url, 'tessera:test')
  const other = await openRedisBus(t, server.url, 'tessera:test')
  server.pause()
  await waitUntil('the problem', () => one.bus.problem())
  server.resume()
  await waitUntil('the problem to be over', () => one.bus.problem() === undefined)
  const before = other.heard.keys
  await waitUntil('a hint', () => {
    one.bus.publish('keys')
    return other.heard.keys > before
  })
})

test('bus on Redis: a server that comes back empty is used again by itself', async (t) => {
  const server = await startRedisServer(t)
  const one = await openRedisBus(t, server.url, 'tessera:test')
  const other = await openRedisBus(t, server.url, 'tessera:test')
  const before = { ...other.heard }
  await server.kill()
  await waitUntil('the problem', () => one.bus.problem())
  await server.start()
  await waitUntil('the problem to be over', () => one.bus.problem() === undefined)
  await waitUntil('what may have been missed', () => other.heard.revocations > before.revocations)
  const since = other.heard.clients
  await waitUntil('a hint', () => {
    one.bus.publish('clients')
    return other.heard.clients > since
  })
})
