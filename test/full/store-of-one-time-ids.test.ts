import { randomUUID } from 'node:crypto'
import t, { type Test, test } from 'tap'
import { Unavailable } from '../../src/oauth/unavailable.ts'
import type { OneTimeIds } from '../../src/secrets/one-time-ids.ts'
import { createOneTimeIds } from '../../src/stores/one-time-ids.ts'
import { createOneTimeIdStore } from '../../src/stores/postgres/one-time-ids.ts'
import { createPruners } from '../../src/stores/postgres/pruning.ts'
import { createRedisClient } from '../../src/stores/redis/connection.ts'
import { createRedisOneTimeIds } from '../../src/stores/redis/one-time-ids.ts'
import { createTestRedis } from '../support/redis.ts'
import { startRedisCluster, startRedisServer } from '../support/redis-server.ts'
import { redisServers } from '../support/redis-servers.ts'
import { onEverySqlBackend, openPostgres, type SqlBackend } from '../support/sql-backends.ts'
import { waitUntil } from '../support/wait-until.ts'

const minute = 60_000
const ago = (milliseconds: number) => new Date(Date.now() - milliseconds)
const inAMinute = () => new Date(Date.now() + minute)

/** The rules of every store, asked of two nodes. */
const contract = async (t: Test, nodes: readonly [OneTimeIds, OneTimeIds]): Promise<void> => {
  const [one, other] = nodes
  await t.test('an id is good once, on whichever node, each kind for itself', async (t) => {
    const id = randomUUID()
    t.equal(await one.use('dpop', id, ago(0), inAMinute()), true)
    t.equal(await other.use('dpop', id, ago(0), inAMinute()), false)
    t.equal(await one.use('dpop', id, ago(0), inAMinute()), false)
    t.equal(await other.use('client_assertion', id, ago(0), inAMinute()), true)
    t.equal(await one.use('assertion', id, ago(0), inAMinute()), true)
    t.equal(await one.use('request_object', id, ago(0), inAMinute()), true)
  })
  await t.test('of fifty uses at once one is the first', async (t) => {
    const id = randomUUID()
    const at = ago(0)
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        (index % 2 === 0 ? one : other).use('dpop', id, at, inAMinute()),
      ),
    )
    t.equal(answers.filter(Boolean).length, 1)
  })
  await t.test('an id may be of any length and hold anything', async (t) => {
    for (const id of ['', '\0', '\uD800', 'x'.repeat(100_000)]) {
      t.equal(await one.use('dpop', id, ago(0), inAMinute()), true)
      t.equal(await other.use('dpop', id, ago(0), inAMinute()), false)
    }
  })
}

onEverySqlBackend('one-time ids', (t, backend) =>
  contract(t, [createOneTimeIdStore(backend), createOneTimeIdStore(backend)]),
)

onEverySqlBackend('one-time ids: rows go once they would be refused anyway', async (t, backend) => {
  const store = createOneTimeIdStore(backend)
  await store.use('dpop', 'short', ago(0), inAMinute())
  await store.use('dpop', 'long', ago(0), new Date(Date.now() + 10 * minute))
  const prune = () =>
    createPruners(backend)
      .find(({ name }) => name === 'one_time_ids')
      ?.run()
  t.equal(await prune(), 0)
  backend.moveTime(2 * 60)
  t.equal(await prune(), 1)
  t.equal(await store.use('dpop', 'long', ago(0), inAMinute()), false)
})

type Options = { readonly isAway?: () => boolean; readonly uptimeMs?: () => number }

/** A node with a connection of its own to Redis. */
const openNode = async (
  t: Test,
  url: string,
  keyPrefix: string,
  database: SqlBackend,
  { isAway = () => false, uptimeMs = () => performance.now() }: Options = {},
) => {
  const client = createRedisClient(redisServers(url), 500)
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  await client.connect()
  await waitUntil('Redis', () => client.status === 'ready')
  const rows = createOneTimeIdStore(database)
  const clock = () => new Date()
  const redis = createRedisOneTimeIds({
    ...{ client, keyPrefix, commandTimeoutMs: 500, clock },
    isFirst: (part) => rows.useDigest(part, inAMinute()),
  })
  return createOneTimeIds({ redis, database: rows, isAway, clock, uptimeMs })
}

test('one-time ids in Redis', async (t) => {
  const database = await openPostgres(t)
  const { url, prefix } = await createTestRedis(t)
  await contract(t, [
    await openNode(t, url, prefix, database),
    await openNode(t, url, prefix, database),
  ])
  const rows = await database.db.selectFrom('one_time_ids').selectAll().execute()
  t.ok(rows.length <= 16, 'the database has no ids, only which parts of Redis were begun')
})

test('one-time ids in a Redis cluster', async (t) => {
  const database = await openPostgres(t)
  const ports = await startRedisCluster(t)
  const url = `redis-cluster://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`
  await contract(t, [
    await openNode(t, url, 'tessera', database),
    await openNode(t, url, 'tessera', database),
  ])
})

test('a Redis that was emptied refuses what was issued before, and takes what is new', async (t) => {
  const database = await openPostgres(t)
  const server = await startRedisServer(t)
  const node = await openNode(t, server.url, 'tessera', database)
  const issuedAt = ago(1000)
  t.equal(await node.use('dpop', 'used', issuedAt, inAMinute()), true)
  const operator = createRedisClient(redisServers(server.url), 500)
  await operator.connect()
  await operator.call('FLUSHALL')
  operator.disconnect()
  t.equal(await node.use('dpop', 'used', issuedAt, inAMinute()), false)
  const later = new Date(Date.now() + 1000)
  t.equal(await node.use('dpop', 'new', later, inAMinute()), true)
  t.equal(await node.use('dpop', 'new', later, inAMinute()), false)
})

test('while Redis is away ids are in the database, and nothing is good twice by the changes', async (t) => {
  const database = await openPostgres(t)
  const server = await startRedisServer(t)
  let uptime = 0
  const options = { uptimeMs: () => uptime }
  const nodes = [
    await openNode(t, server.url, 'tessera', database, options),
    await openNode(t, server.url, 'tessera', database, options),
  ] as const
  const [one, other] = nodes
  const before = ago(0)
  t.equal(await one.use('dpop', 'before', before, inAMinute()), true)

  server.pause()
  for (const node of nodes) {
    t.equal(await node.use('dpop', 'before', before, inAMinute()), false, 'used in Redis, perhaps')
  }
  const during = new Date(Date.now() + 1)
  t.equal(await one.use('dpop', 'during', during, inAMinute()), true)
  t.equal(await other.use('dpop', 'during', during, inAMinute()), false)
  server.resume()

  uptime += 2000
  await waitUntil('one node to be back', async () => {
    const isFirst = await one.use('dpop', randomUUID(), new Date(Date.now() + 1), inAMinute())
    return isFirst
  })
  t.equal(await one.use('dpop', 'during', during, inAMinute()), false)
  t.equal(await other.use('dpop', 'during', during, inAMinute()), false)
  const after = new Date(Date.now() + 1000)
  t.equal(await one.use('dpop', 'after', after, inAMinute()), true)
  t.equal(await other.use('dpop', 'after', after, inAMinute()), false)
})

test('a node that is back tells nodes that are not, for a while', async (t) => {
  const database = await openPostgres(t)
  const server = await startRedisServer(t)
  let isAway = true
  const back = await openNode(t, server.url, 'tessera', database, { isAway: () => isAway })
  const late = await openNode(t, server.url, 'tessera', database, { isAway: () => true })
  const soon = () => new Date(Date.now() + 1)
  t.equal(await back.use('dpop', 'one', soon(), inAMinute()), true)
  t.equal(await late.use('dpop', 'other', soon(), inAMinute()), true)
  isAway = false
  const issuedAt = new Date(Date.now() + 1000)
  t.equal(await back.use('dpop', 'two', issuedAt, inAMinute()), true)
  t.equal(await late.use('dpop', 'two', issuedAt, inAMinute()), false)
})

test('without Redis and the database nobody can know, and the caller is told', async (t) => {
  const fails = async () => {
    throw new Unavailable('the database does not answer')
  }
  const ids = createOneTimeIds({
    redis: { use: fails, forgetBefore: fails },
    database: { useDigest: fails },
    isAway: () => false,
    clock: () => new Date(),
  })
  await t.rejects(ids.use('dpop', 'id', new Date(Date.now() + minute), inAMinute()), Unavailable)
})

t.setTimeout(60_000)
