import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { addSeconds } from '../../src/clock.ts'
import {
  type Connection,
  connectPostgres,
  createConnection,
} from '../../src/stores/postgres/database.ts'
import * as fixture from '../keys/key-fixture.ts'
import {
  byCommand,
  clearKeys,
  day,
  lead,
  longestTokenLifetimeSeconds,
} from '../keys/key-fixture.ts'
import { createTestDatabase } from '../support/database.ts'
import { openPostgres, poolOptions } from '../support/sql-backends.ts'
import { storeContract } from '../support/store-contract.ts'

// Nothing is verified with these keys, and small ones are made ten times as fast.
const openNode = (t: Test, backend: Connection, keyEncryptionKeys?: readonly Buffer[]) =>
  fixture.openNode(t, backend, keyEncryptionKeys, { rsaModulusBits: 1024 })

const { rule, run } = storeContract('the administration of keys', clearKeys)

const order = ['RS256', 'ES256', 'EdDSA', 'PS256']

rule('a rotation is refused for a day, then done, then refused', async (t, backend) => {
  const { ring, administration } = openNode(t, backend)
  await ring.start()
  const before = await administration.list()
  const safeAt = before.find(({ state }) => state === 'next')?.safeToRotateAt
  t.strictSame(
    safeAt,
    addSeconds(before[0]?.publishedAt ?? new Date(0), day),
    'the list says when it is safe',
  )
  const refused = order.map((algorithm) => ({
    algorithm,
    outcome: 'refused',
    reason: 'verifiers may not know the next key yet',
    safeAt,
  }))
  t.strictSame(await administration.rotate({ dryRun: false, by: byCommand }), refused)
  t.strictSame(await administration.list(), before, 'and nothing was done')

  backend.moveTime(day)
  const planned = await administration.rotate({ dryRun: true, by: byCommand })
  t.strictSame(
    planned.map(({ algorithm, outcome }) => [algorithm, outcome]),
    order.map((algorithm) => [algorithm, 'planned']),
  )
  t.strictSame(await administration.list(), before, 'a dry run changes nothing')

  const rotated = await administration.rotate({ dryRun: false, by: byCommand })
  const waiting = (await administration.list()).map(({ state }) => state).sort()
  t.strictSame(
    waiting,
    ['current', 'next', 'next'].flatMap((s) => [s, s, s, s]),
    'not at once',
  )
  backend.moveTime(lead)
  const after = await administration.list()
  t.equal(after.length, 12)
  for (const plan of rotated) {
    if (plan.outcome !== 'rotated') throw new Error(`not rotated: ${JSON.stringify(plan)}`)
    const [retired, current, next] = ['retired', 'current', 'next'].map((state) =>
      after.filter((key) => key.algorithm === plan.algorithm && key.state === state),
    )
    t.match(retired, [{ keyId: plan.retire, dropAfter: plan.dropAfter }])
    t.match(current, [{ keyId: plan.promote, signUntil: null, dropAfter: null }])
    t.match(next, [{ signFrom: null, signUntil: null, dropAfter: null }])
    t.strictSame(retired?.[0]?.signUntil, current?.[0]?.signFrom, 'without a gap')
    t.strictSame(current?.[0]?.signFrom, plan.signFrom, 'as it was said')
    t.ok(
      Math.abs(Number(plan.signFrom) - Number(next?.[0]?.publishedAt) - lead * 1000) <= 1,
      'a new next key is published at once',
    )
    t.strictSame(
      Number(plan.dropAfter) - Number(current?.[0]?.signFrom),
      (longestTokenLifetimeSeconds + 450) * 1000,
    )
  }
  const again = await administration.rotate({ dryRun: false, by: byCommand })
  t.strictSame(
    again.map(({ outcome }) => outcome),
    ['refused', 'refused', 'refused', 'refused'],
  )
  t.strictSame(await administration.list(), after)
})

rule('one algorithm is rotated alone', async (t, backend) => {
  const { ring, administration } = openNode(t, backend)
  await ring.start()
  backend.moveTime(day)
  const plans = await administration.rotate({ algorithm: 'ES256', dryRun: false, by: byCommand })
  t.match(plans, [{ algorithm: 'ES256', outcome: 'rotated' }])
  backend.moveTime(lead)
  const states = (await administration.list()).map(({ algorithm, state }) => [algorithm, state])
  t.strictSame(
    states.filter(([, state]) => state === 'retired'),
    [['ES256', 'retired']],
  )
})

rule('creating, rotating and sealing again are audited', async (t, backend) => {
  const [older, newer] = [randomBytes(32), randomBytes(32)]
  const { ring, macRing } = openNode(t, backend, [older])
  await ring.start()
  await macRing.start()
  backend.moveTime(day)
  const { administration } = openNode(t, backend, [newer, older])
  const by = { actor: 'cli', origin: { requestId: 'r1', address: '192.0.2.1', userAgent: 'a' } }
  const [plan] = await administration.rotate({ algorithm: 'EdDSA', dryRun: false, by })
  if (plan?.outcome !== 'rotated') throw new Error(`not rotated: ${JSON.stringify(plan)}`)
  await administration.rotateMacKey(by)
  await administration.reseal(by)
  const events = await backend.db
    .selectFrom('audit_events')
    .select(['type', 'severity', 'actor', 'request_id', 'address', 'user_agent', 'details'])
    .execute()
  const count = (type: string, actor: string | null) =>
    events.filter((event) => event.type === type && event.actor === actor).length
  t.equal(count('key.created', null), 9, 'the service made eight keys and a MAC key')
  t.equal(count('key.created', 'cli'), 2)
  t.equal(count('key.resealed', 'cli'), 9)
  t.strictSame(
    events.filter(({ type }) => type === 'key.rotated'),
    [
      {
        type: 'key.rotated',
        severity: 'warning',
        actor: 'cli',
        request_id: 'r1',
        address: '192.0.2.1',
        user_agent: 'a',
        details: { key_id: plan.promote, algorithm: 'EdDSA', retired: plan.retire },
      },
    ],
  )
})

rule('sealing again touches what is sealed under older keys, once', async (t, backend) => {
  const [oldest, older, newer] = [randomBytes(32), randomBytes(32), randomBytes(32)]
  const first = openNode(t, backend, [oldest])
  await first.ring.start()
  await first.macRing.start()
  t.equal(await first.administration.reseal(byCommand), 0, 'all is under the newest already')
  await openNode(t, backend, [older, oldest]).administration.rotateMacKey(byCommand)
  const last = openNode(t, backend, [newer, older, oldest])
  t.equal(await last.administration.reseal(byCommand), 10)
  t.equal(await last.administration.reseal(byCommand), 0, 'a second time there is nothing to do')
  const alone = openNode(t, backend, [newer])
  await alone.ring.start()
  await alone.macRing.start()
  t.strictSame(alone.ring.jwks().etag.length, 45)
  t.strictSame(alone.errors, [], 'the older keys are needed no more')
})

rule(
  'MAC keys are made one at a time; after number 255 come those that are free again',
  async (t, backend) => {
    const { macRing, administration, sealer, macKeys } = openNode(t, backend)
    await macRing.start()
    const first = await administration.rotateMacKey(byCommand)
    if (first.outcome !== 'rotated') throw new Error('not rotated')
    t.strictSame(await administration.rotateMacKey(byCommand), {
      outcome: 'refused',
      reason: 'the last new MAC key is not in use on every node yet',
      safeAt: first.useFrom,
    })
    backend.moveTime(120)
    t.match(await administration.rotateMacKey(byCommand), { outcome: 'rotated', number: 3 })
    backend.moveTime(120)
    const sealedKey = sealer.seal(randomBytes(32), 'MAC key 255')
    const last = { number: 255, sealedKey, useAfterSeconds: 0, retentionSeconds: 100 }
    t.ok(await macKeys.insert(last, byCommand))
    t.match(await administration.rotateMacKey(byCommand), { outcome: 'rotated', number: 4 })
    t.strictSame(
      (await administration.listMacKeys()).map(({ number, state }) => `${number} ${state}`),
      ['1 retired', '2 retired', '3 retired', '4 next', '255 current'],
    )
  },
)

run()

/** Nodes with connections of their own to one new database. */
const openNodes = async (t: Test, count: number) => {
  const { url } = await createTestDatabase(t)
  const keys = [randomBytes(32)]
  return Promise.all(
    Array.from({ length: count }, async () => {
      const db = await connectPostgres(url, { ...poolOptions, size: 4 }, () => {})
      t.teardown(() => db.destroy())
      return { db, ...openNode(t, createConnection(db), keys) }
    }),
  )
}

t.test('8 first starts at once make exactly one set of keys', async (t) => {
  const nodes = await openNodes(t, 8)
  await Promise.all(nodes.flatMap(({ ring, macRing }) => [ring.start(), macRing.start()]))
  const [first] = nodes
  const keys = (await first?.administration.list()) ?? []
  t.strictSame(
    keys.map(({ algorithm, state }) => `${algorithm} ${state}`).sort(),
    order.flatMap((algorithm) => [`${algorithm} current`, `${algorithm} next`]).sort(),
  )
  t.equal((await first?.macKeys.list())?.keys.length, 1)
  t.equal(new Set(nodes.map(({ ring }) => ring.jwks().etag)).size, 1, 'all publish the same')
  t.equal(
    new Set(nodes.map(({ macRing }) => macRing.current().key.export().toString('hex'))).size,
    1,
    'all use the same MAC key',
  )
  const created = await first?.db
    .selectFrom('audit_events')
    .select('id')
    .where('type', '=', 'key.created')
    .execute()
  t.equal(created?.length, 9, 'and nine were audited')
})

t.test('8 rotations at once rotate exactly once; the others say when it is safe', async (t) => {
  const backend = await openPostgres(t)
  const keys = [randomBytes(32)]
  const nodes = Array.from({ length: 8 }, () => openNode(t, backend, keys))
  await nodes[0]?.ring.start()
  backend.moveTime(day)
  const plans = await Promise.all(
    nodes.map(({ administration }) => administration.rotate({ dryRun: false, by: byCommand })),
  )
  for (const algorithm of order) {
    const mine = plans.flat().filter((plan) => plan.algorithm === algorithm)
    const refused = mine.filter((plan) => plan.outcome === 'refused')
    t.equal(mine.length, 8)
    t.equal(refused.length, 7, algorithm)
    const next = (await nodes[0]?.administration.list())?.find(
      (key) => key.algorithm === algorithm && key.signFrom === null,
    )
    for (const { reason, safeAt } of refused) {
      t.equal(reason, 'verifiers may not know the next key yet')
      t.strictSame(safeAt, next?.safeToRotateAt)
    }
  }
  backend.moveTime(lead)
  const states = (await nodes[0]?.administration.list())?.map(({ state }) => state) ?? []
  t.strictSame(states.sort(), ['current', 'next', 'retired'].flatMap((s) => [s, s, s, s]).sort())
})

t.test('8 MAC-key rotations at once make exactly one key', async (t) => {
  const nodes = await openNodes(t, 8)
  await nodes[0]?.macRing.start()
  const results = await Promise.all(
    nodes.map(({ administration }) => administration.rotateMacKey(byCommand)),
  )
  t.equal(results.filter(({ outcome }) => outcome === 'rotated').length, 1)
  t.equal((await nodes[0]?.macKeys.list())?.keys.length, 2)
})

t.test('8 nodes that seal again at once seal each key once', async (t) => {
  const backend = await openPostgres(t)
  const [older, newer] = [randomBytes(32), randomBytes(32)]
  const first = openNode(t, backend, [older])
  await first.ring.start()
  await first.macRing.start()
  const nodes = Array.from({ length: 8 }, () => openNode(t, backend, [newer, older]))
  const counts = await Promise.all(
    nodes.map(({ administration }) => administration.reseal(byCommand)),
  )
  t.equal(
    counts.reduce((sum, count) => sum + count, 0),
    9,
  )
  const alone = openNode(t, backend, [newer])
  await alone.ring.start()
  await alone.macRing.start()
  t.strictSame(alone.ring.jwks().body.length > 0, true)
})
