import { addSeconds } from '../../src/clock.ts'
import { createMacKeyStore } from '../../src/stores/postgres/mac-keys.ts'
import { byCommand as by, clearKeys } from '../keys/key-fixture.ts'
import { storeContract } from '../support/store-contract.ts'

const { rule, run } = storeContract('the store of MAC keys', clearKeys)

const key = (number: number, useAfterSeconds = 0) => ({
  number,
  sealedKey: Buffer.from(`sealed ${number}`),
  useAfterSeconds,
  retentionSeconds: 100,
})

rule('keys are listed by number, with the time of the database', async (t, backend) => {
  const store = createMacKeyStore(backend)
  const empty = await store.list()
  t.strictSame(empty.keys, [])
  const second = await store.insert(key(2, 60), by)
  const first = await store.insert(key(1), by)
  const { now, keys } = await store.list()
  t.strictSame(keys, [
    {
      number: 1,
      sealedKey: Buffer.from('sealed 1'),
      publishedAt: first,
      useFrom: first,
      dropAfter: null,
    },
    {
      number: 2,
      sealedKey: Buffer.from('sealed 2'),
      publishedAt: addSeconds(second ?? now, -60),
      useFrom: second,
      dropAfter: addSeconds(first ?? now, 100),
    },
  ])
  t.ok(first && first <= now)
  t.ok(second && second > addSeconds(now, 30))
  backend.moveTime(3600)
  t.ok((await store.list()).now >= addSeconds(empty.now, 3600), 'and its offset')
})

rule('a number is given once', async (t, backend) => {
  const store = createMacKeyStore(backend)
  t.ok(await store.insert(key(1), by))
  t.equal(await store.insert({ ...key(1), sealedKey: Buffer.from('else') }, by), undefined)
  const { keys } = await store.list()
  t.strictSame(
    keys.map(({ sealedKey }) => sealedKey.toString()),
    ['sealed 1'],
  )
  const events = await backend.db.selectFrom('audit_events').selectAll().execute()
  t.match(events, [{ type: 'key.created', actor: 'cli', details: { mac_key: 1 } }])
  t.equal(events.length, 1)
})

rule('an earlier key is kept for the longest life of a token that it makes', async (t, backend) => {
  const store = createMacKeyStore(backend)
  await store.insert(key(1), by)
  const useFrom = await store.insert(key(2, 60), by)
  const dropAfter = addSeconds(useFrom ?? new Date(0), 100)
  const listed = async () =>
    (await store.list()).keys.map(({ number, dropAfter }) => ({ number, dropAfter }))
  t.strictSame(await listed(), [
    { number: 1, dropAfter },
    { number: 2, dropAfter: null },
  ])
  backend.moveTime(155)
  await store.insert(key(3), by)
  t.strictSame((await listed())[0], { number: 1, dropAfter }, 'its end does not move')
  backend.moveTime(5)
  t.strictSame(
    (await listed()).map(({ number }) => number),
    [2, 3],
  )
})

rule(
  'a key that waits is put off, and the one before it is kept for longer',
  async (t, backend) => {
    const store = createMacKeyStore(backend)
    await store.insert(key(1), by)
    await store.insert(key(2, 60), by)
    const before = await store.list()
    await store.putOff([1, 2, 3], 90)
    const after = await store.list()
    const [first, second] = after.keys
    t.strictSame(first?.useFrom, before.keys[0]?.useFrom, 'one in use stays in use')
    t.ok(second && second.useFrom >= addSeconds(before.now, 90))
    t.ok(second && second.useFrom < addSeconds(after.now, 91))
    t.ok(Number(first?.dropAfter) >= Number(second?.useFrom) + 100_000, 'its tokens stay good')
    await store.putOff([], 90)
    await store.putOff([2], 10)
    t.strictSame((await store.list()).keys[1], second, 'never to an earlier time')
  },
)

rule('numbers run from 1 to 255', async (t, backend) => {
  const store = createMacKeyStore(backend)
  for (const number of [0, 256, -1]) {
    await t.rejects(store.insert(key(number), by), { code: '23514' }, `${number}`)
  }
  t.ok(await store.insert(key(255), by))
})

rule('a key is sealed again only from what it was', async (t, backend) => {
  const store = createMacKeyStore(backend)
  await store.insert(key(1), by)
  const [from, to] = [Buffer.from('sealed 1'), Buffer.from('again')]
  t.equal(await store.reseal(1, Buffer.from('else'), to, by), false)
  t.equal(await store.reseal(2, from, to, by), false)
  t.equal(await store.reseal(1, from, to, by), true)
  t.equal(await store.reseal(1, from, to, by), false)
  const { keys } = await store.list()
  t.strictSame(
    keys.map(({ sealedKey }) => sealedKey.toString()),
    ['again'],
  )
  const events = await backend.db.selectFrom('audit_events').select('type').execute()
  t.strictSame(events.map(({ type }) => type).sort(), ['key.created', 'key.resealed'])
})

run()
