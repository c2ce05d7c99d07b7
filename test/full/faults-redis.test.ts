import { Redis } from 'ioredis'
import t, { test } from 'tap'
import { createRevocations } from '../../src/revocation/revocations.ts'
import { createMemoryBus } from '../../src/stores/memory/bus.ts'
import { createConnection } from '../../src/stores/postgres/database.ts'
import { createRevocationStore } from '../../src/stores/postgres/revocations.ts'
import { createRedisBus } from '../../src/stores/redis/bus.ts'
import { createMachine, postForm } from '../endpoints/oauth/requests.ts'
import { acts, ask } from '../faults/acts.ts'
import { startBehindProxy } from '../faults/faulty-database.ts'
import { bothSay, expectService, readiness } from '../faults/whole-service.ts'
import { isAccepted, refresh, startNodes, tokenOf } from '../support/nodes.ts'
import { startRedisServer } from '../support/redis-server.ts'
import { redisServers } from '../support/redis-servers.ts'
import { connect, register } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

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

/** How long the slowest of twenty refreshes takes, in milliseconds. */
const slowestRefresh = async (): Promise<number> => {
  let { refresh_token: token } = await register(first.app)
  let slowest = 0
  for (let round = 0; round < 20; round += 1) {
    const started = performance.now()
    token = tokenOf(await refresh(first, token))
    slowest = Math.max(slowest, performance.now() - started)
  }
  return slowest
}
// REDIS_COMMAND_TIMEOUT_MS for each of a few commands, and the pauses of a busy machine.
const longestRefreshMs = 1000

for (const [fault, { begin, end, told }] of Object.entries(faults)) {
  test(`while Redis is ${fault} everything works in time and revocations cross the nodes within a second`, async (t) => {
    await bothSay(nodes, ready)
    await begin()
    await expectService(t, nodes)
    const slowest = await slowestRefresh()
    t.ok(slowest < longestRefreshMs, `the slowest refresh took ${slowest.toFixed(0)} ms`)
    await bothSay(nodes, told)
    await end()
    await bothSay(nodes, ready)
    await expectService(t, nodes)
  })
}

test('a node starts while Redis is away, works, and finds it when it comes', async (t) => {
  const late = await startRedisServer(t)
  await late.kill()
  const both = await startNodes(t, { REDIS_URL: late.url })
  await bothSay(both, degraded)
  await expectService(t, both)
  await late.start()
  await bothSay(both, ready)
  await expectService(t, both)
})

test('with Redis and the database away keys, metadata, liveness and known machines are served, the rest is 503, and all comes back', async (t) => {
  const gone = await startRedisServer(t)
  const { service, proxy } = await startBehindProxy(t, {
    REDIS_URL: gone.url,
    DATABASE_CONNECT_TIMEOUT_MS: '500',
  })
  const { app, deps } = service
  const person = await register(app)
  const machine = await createMachine(deps, { grantTypes: ['client_credentials'] })
  const grant = async () =>
    (await postForm(app, '/token', { grant_type: 'client_credentials' }, machine.headers))
      .statusCode
  t.equal(await grant(), 200)
  await gone.kill()
  proxy.cut()
  for (const url of [
    '/.well-known/jwks.json',
    '/.well-known/oauth-authorization-server',
    '/health/live',
  ]) {
    t.equal((await app.inject(url)).statusCode, 200, url)
  }
  t.equal(await grant(), 200)
  t.match(await refresh(service, person.refresh_token), {
    status: 503,
    body: { code: 'unavailable' },
  })
  for (const [name, act] of Object.entries(acts)) {
    t.equal(await ask(service, act, person), 503, name)
  }
  proxy.restore()
  await gone.start()
  await waitUntil(
    'the service',
    async () => (await ask(service, acts['sign-in'], person)) === 200,
    {
      timeoutMs: 2000,
    },
  )
  t.equal((await refresh(service, person.refresh_token)).status, 200)
})

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
    createRedisBus({
      servers: redisServers(redis.url),
      commandTimeoutMs: 1000,
      channel,
      onProblem: () => {},
    }),
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
