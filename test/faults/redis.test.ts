import { Redis } from 'ioredis'
import t, { test } from 'tap'
import { createRevocations } from '../../src/revocation/revocations.ts'
import { createMemoryBus } from '../../src/stores/memory/bus.ts'
import { createConnection } from '../../src/stores/postgres/database.ts'
import { createRevocationStore } from '../../src/stores/postgres/revocations.ts'
import { createRedisBus } from '../../src/stores/redis/bus.ts'
import { isAccepted, startNodes } from '../support/nodes.ts'
import { startRedisServer } from '../support/redis-server.ts'
import { connect, register } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'
import { bothSay, expectService, readiness } from './whole-service.ts'

const redis = await startRedisServer(t)
const nodes = await startNodes(t, { REDIS_URL: redis.url })
const [first] = nodes
const channel = `tessera:${first.config.issuer}`

const ready = { status: 'ready', redis: 'up' }
const degraded = { status: 'degraded', redis: 'down' }

/** Tells the server something directly, as an operator would. */
const command = async (name: string, ...parameters: string[]): Promise<unknown> => {
  const client = new Redis(redis.url)
  return client.call(name, ...parameters).finally(() => client.disconnect())
}

const faults: Readonly<Record<string, { begin(): unknown; end(): unknown; told: typeof ready }>> = {
  stopped: { begin: redis.kill, end: redis.start, told: degraded },
  paused: { begin: redis.pause, end: redis.resume, told: degraded },
  flushed: { begin: () => command('FLUSHALL'), end: () => {}, told: ready },
  full: {
    begin: () => command('CONFIG', 'SET', 'maxmemory', '1'),
    end: () => command('CONFIG', 'SET', 'maxmemory', '0'),
    told: ready,
  },
  'read-only': {
    begin: () => command('REPLICAOF', '127.0.0.1', '1'),
    end: () => command('REPLICAOF', 'NO', 'ONE'),
    told: ready,
  },
}

for (const [fault, { begin, end, told }] of Object.entries(faults)) {
  test(`while Redis is ${fault} everything works and revocations cross the nodes within a second`, async (t) => {
    await bothSay(nodes, ready)
    await begin()
    await expectService(t, nodes)
    await bothSay(nodes, told)
    await end()
    await bothSay(nodes, ready)
    await expectService(t, nodes)
  })
}

test('a hint on Redis brings a revocation to a node that does not poll', async (t) => {
  const db = await connect(t, first)
  const makeDeaf = async (bus: Parameters<typeof createRevocations>[0]['bus']) => {
    const store = createRevocationStore(createConnection(db))
    const revocations = createRevocations({
      store,
      bus,
      clock: () => new Date(),
      pollMs: 2 ** 31 - 1,
    })
    t.teardown(() => Promise.all([revocations.close(), bus.close()]))
    await revocations.start()
    return revocations
  }
  const hinted = await makeDeaf(
    createRedisBus({ url: redis.url, commandTimeoutMs: 1000, channel, onProblem: () => {} }),
  )
  const alone = await makeDeaf(createMemoryBus())
  const { user } = await register(first.app)
  const subject = { subject: user.id }
  await waitUntil('three subscriptions', async () => {
    const [, subscribers] = (await command('PUBSUB', 'NUMSUB', channel)) as [string, number]
    return subscribers === 3
  })
  await first.deps.userAdministration.disableUser(user.id, { actor: 'cli', origin: {} })
  await waitUntil('the hint', () => hinted.revokedBy(subject) === 'sub')
  t.equal(alone.revokedBy(subject), undefined, 'without hints it does not know')
})

test('whatever a stranger says on the channel does no harm', async (t) => {
  const stranger = new Redis(redis.url)
  t.teardown(() => stranger.disconnect())
  const person = await register(first.app)
  const messages = [
    '',
    'nonsense',
    '{"kind":"sub"}',
    'x'.repeat(1_000_000),
    'revocations',
    'keys',
    'clients',
  ]
  for (let round = 0; round < 100; round += 1) {
    await Promise.all(
      messages.slice(round === 0 ? 0 : 4).map((message) => stranger.publish(channel, message)),
    )
  }
  for (const node of nodes) {
    t.equal(await isAccepted(node, person.access_token), true)
    t.strictSame(await readiness(node), { status: 'ready', database: 'up', redis: 'up' })
  }
  await expectService(t, nodes)
})
