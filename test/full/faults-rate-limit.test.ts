import { Redis } from 'ioredis'
import t, { type Test, test } from 'tap'
import { bothSay } from '../faults/whole-service.ts'
import { startNodes } from '../support/nodes.ts'
import { startRedisServer } from '../support/redis-server.ts'
import type { TestService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const points = 4
const commandTimeoutMs = 100
const ready = { status: 'ready', redis: 'up' }

// Two nodes with limits that everybody would meet, on a Redis of their own.
const redis = await startRedisServer(t)
const nodes = await startNodes(t, {
  REDIS_URL: redis.url,
  REDIS_COMMAND_TIMEOUT_MS: `${commandTimeoutMs}`,
  RATE_LIMIT_DEFAULT: `${points}/3600`,
})
await bothSay(nodes, ready)

/** Tells the server something directly, as an operator would. */
const command = async (name: string, ...parameters: string[]): Promise<unknown> => {
  const client = new Redis(redis.url)
  return client.call(name, ...parameters).finally(() => client.disconnect())
}

type Place = { readonly remoteAddress: string }
let places = 0
const newPlace = (): Place => {
  places += 1
  return { remoteAddress: `192.0.2.${places}` }
}

const slowMs = 0.9 * commandTimeoutMs
let slowRequests = 0

/** Whether the node lets one more request of the place pass. Never an error. */
const passes = async (t: Test, { app }: TestService, place: Place): Promise<boolean> => {
  const begun = performance.now()
  const { statusCode } = await app.inject({ url: '/', ...place })
  if (performance.now() - begun > slowMs) slowRequests += 1
  t.ok([200, 429].includes(statusCode), `${statusCode}`)
  return statusCode === 200
}

const countPassed = async (t: Test, node: TestService, place: Place, requests = 3 * points) => {
  let passed = 0
  for (let index = 0; index < requests; index += 1) {
    if (await passes(t, node, place)) passed += 1
  }
  return passed
}

/** One count for both nodes, tried with a new place until they say so. */
const expectOneCount = async (t: Test) => {
  await waitUntil('the nodes to count together', async () => {
    const place = newPlace()
    const counts = [await countPassed(t, nodes[0], place), await countPassed(t, nodes[1], place)]
    return counts[0] === points && counts[1] === 0
  })
}

/** How often a node had reason to count by itself for a while, as a busy machine gives it. */
const disturbances = (): number =>
  nodes.reduce(
    (sum, { log }) => sum + log.filter((line) => line.includes('Redis does not answer')).length,
    slowRequests,
  )

/** What nodes do that count together all the while. What was disturbed is no answer. */
const undisturbed = async <T>(t: Test, act: (place: Place) => Promise<T>): Promise<T> => {
  const { outcome } = await waitUntil(
    'Redis to answer in time',
    async () => {
      await expectOneCount(t)
      const before = disturbances()
      const outcome = await act(newPlace())
      return disturbances() === before && { outcome }
    },
    { timeoutMs: 60_000 },
  )
  return outcome
}

test('two nodes on one Redis count together, however many requests come at once', async (t) => {
  const answers = await undisturbed(t, (place) =>
    Promise.all(
      Array.from({ length: 40 }, (_, index) => passes(t, nodes[index % 2 === 0 ? 0 : 1], place)),
    ),
  )
  t.equal(answers.filter((passed) => passed).length, points)
})

const faults = {
  stopped: { begin: 'kill', end: 'start' },
  paused: { begin: 'pause', end: 'resume' },
} as const

for (const [fault, { begin, end }] of Object.entries(faults)) {
  test(`while Redis is ${fault} each node limits by itself, and nobody waits for Redis again and again`, async (t) => {
    const known = newPlace()
    t.equal(await countPassed(t, nodes[0], known), points)

    await redis[begin]()
    const times: number[] = []
    for (const node of nodes) {
      const place = newPlace()
      let passed = 0
      for (let index = 0; index < 50; index += 1) {
        const begun = performance.now()
        if (await passes(t, node, place)) passed += 1
        times.push(performance.now() - begun)
      }
      t.equal(passed, points)
    }
    const slow = times.filter((time) => time > slowMs)
    t.ok(slow.length <= 5, `of 100 requests ${slow.length} waited`)
    t.ok(Math.max(...times) < 10 * commandTimeoutMs, `the longest ${Math.max(...times)} ms`)

    await redis[end]()
    await bothSay(nodes, ready)
    await expectOneCount(t)
  })
}

test('when Redis is flushed the counts begin anew, together', async (t) => {
  const passed = await undisturbed(t, async (place) => {
    const before = await countPassed(t, nodes[0], place, points)
    await command('FLUSHALL')
    await command('SCRIPT', 'FLUSH')
    const after = await countPassed(t, nodes[1], place, 2 * points)
    return [before, after, await passes(t, nodes[0], place)]
  })
  t.strictSame(passed, [points, points, false])
})

const refusals = {
  full: [
    ['CONFIG', 'SET', 'maxmemory', '1'],
    ['CONFIG', 'SET', 'maxmemory', '0'],
  ],
  'read-only': [
    ['REPLICAOF', '127.0.0.1', '1'],
    ['REPLICAOF', 'NO', 'ONE'],
  ],
} as const

for (const [fault, [begin, end]] of Object.entries(refusals)) {
  test(`while Redis is ${fault} each node limits by itself`, async (t) => {
    const [name, ...parameters] = begin
    await command(name, ...parameters)
    const place = newPlace()
    for (const node of nodes) t.equal(await countPassed(t, node, place), points)
    const [undo, ...rest] = end
    await command(undo, ...rest)
    await expectOneCount(t)
  })
}

test('what a stranger writes into the counts never makes a request fail, nor its limit go', async (t) => {
  const place = newPlace()
  const key = `tessera:${nodes[0].config.issuer}:limit:default:address:${place.remoteAddress}`
  await command('RPUSH', key, 'no number')
  t.equal(await countPassed(t, nodes[0], place), points)
})
