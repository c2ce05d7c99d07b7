import { sql } from 'kysely'
import { addSeconds } from '../../src/clock.ts'
import type { Rotation } from '../../src/keys/key-store.ts'
import { createSigningKeyStore } from '../../src/stores/postgres/signing-keys.ts'
import { byCommand as by, clearKeys } from '../keys/key-fixture.ts'
import { newKey, rotation } from '../keys/key-rows.ts'
import type { SqlBackend } from '../support/sql-backends.ts'
import { storeContract } from '../support/store-contract.ts'

const { rule, run } = storeContract('the store of signing keys', clearKeys)

/** A ring with `a`, which signs, and `b`, which waits, published 100 seconds ago. */
const seed = async (backend: SqlBackend) => {
  const store = createSigningKeyStore(backend)
  await store.insertMissing(
    [
      { key: newKey('a'), signAfterSeconds: 0 },
      { key: newKey('b'), signAfterSeconds: null },
    ],
    by,
  )
  backend.moveTime(100)
  return store
}
const countEvents = async ({ db }: SqlBackend) =>
  (await db.selectFrom('audit_events').select('id').execute()).length

rule('an empty store knows the time of the database', async (t, backend) => {
  const store = createSigningKeyStore(backend)
  const before = (await store.list()).now
  backend.moveTime(3600)
  const { now, keys } = await store.list()
  t.strictSame(keys, [])
  t.ok(now.getTime() - before.getTime() >= 3_600_000, 'and its offset')
})

rule('what is inserted is listed, with the times of the database', async (t, backend) => {
  const store = createSigningKeyStore(backend)
  const { now } = await store.list()
  const candidates = [
    { key: newKey('a'), signAfterSeconds: 0 },
    { key: newKey('b'), signAfterSeconds: null },
    { key: newKey('c', 'RS256'), signAfterSeconds: 3600 },
  ]
  await store.insertMissing(candidates, by)
  const { keys } = await store.list()
  const publishedAt = keys[0]?.publishedAt ?? new Date(0)
  t.ok(publishedAt >= now && publishedAt < addSeconds(now, 60))
  const open = { signUntil: null, dropAfter: null, objectedAt: null, publishedAt }
  const sealed = (keyId: string) => ({ keyId, sealedPrivateKey: Buffer.from(`sealed ${keyId}`) })
  t.strictSame(keys, [
    { ...sealed('a'), algorithm: 'ES256', ...open, signFrom: publishedAt },
    { ...sealed('b'), algorithm: 'ES256', ...open, signFrom: null },
    { ...sealed('c'), algorithm: 'RS256', ...open, signFrom: addSeconds(publishedAt, 3600) },
  ])
})

rule('a key whose place is taken is left out, and not audited', async (t, backend) => {
  const store = await seed(backend)
  const before = await store.list()
  await store.insertMissing(
    [
      { key: newKey('other signer'), signAfterSeconds: 0 },
      { key: newKey('other next'), signAfterSeconds: null },
      { key: newKey('new', 'EdDSA'), signAfterSeconds: 0 },
    ],
    by,
  )
  const { keys } = await store.list()
  t.strictSame(
    keys.filter(({ algorithm }) => algorithm === 'ES256'),
    before.keys,
  )
  t.strictSame(keys.map(({ keyId }) => keyId).sort(), ['a', 'b', 'new'])
  t.equal(await countEvents(backend), 3)
})

rule('a rotation moves all three keys at one moment', async (t, backend) => {
  const store = await seed(backend)
  const { now } = await store.list()
  const changeover = await store.rotate(rotation, by)
  const { keys } = await store.list()
  const at = keys.find(({ keyId }) => keyId === 'b')?.signFrom
  t.strictSame(
    keys.map(({ keyId, signFrom, signUntil }) => ({ keyId, signFrom, signUntil })),
    [
      { keyId: 'a', signFrom: keys[0]?.publishedAt, signUntil: at },
      { keyId: 'b', signFrom: at, signUntil: null },
      { keyId: 'c', signFrom: null, signUntil: null },
    ],
  )
  const signFrom = at ?? new Date(0)
  t.ok(signFrom >= addSeconds(now, 9.9) && signFrom < addSeconds(now, 15), 'all at that moment')
  t.strictSame(changeover, { signFrom, dropAfter: addSeconds(signFrom, 50) })
  t.strictSame(
    keys.map((each) => each.dropAfter),
    [changeover?.dropAfter, null, null],
  )
  t.ok((keys[2]?.publishedAt ?? signFrom) < signFrom, 'and the new next key is published already')
})

const stale: Record<string, Partial<Rotation>> = {
  'the key to retire is unknown': { retire: 'x' },
  'the key to retire does not sign': { retire: 'b' },
  'the key to promote is unknown': { promote: 'x' },
  'the key to promote signs already': { promote: 'a' },
  'the key to promote is a second too young': { publicationSeconds: 101 },
  'the keys are of another algorithm': { algorithm: 'EdDSA', next: newKey('c', 'EdDSA') },
}
for (const [title, change] of Object.entries(stale)) {
  rule(`nothing is rotated when ${title}`, async (t, backend) => {
    const store = await seed(backend)
    const before = await store.list()
    t.equal(await store.rotate({ ...rotation, ...change }, by), undefined)
    t.strictSame((await store.list()).keys, before.keys)
    t.equal(await countEvents(backend), 2)
  })
}

rule(
  'nothing is rotated for a while after a node has objected to the next key',
  async (t, backend) => {
    const store = await seed(backend)
    await store.object(['b', 'a', 'x'])
    const { now, keys } = await store.list()
    const objections = Object.fromEntries(keys.map(({ keyId, objectedAt }) => [keyId, objectedAt]))
    t.equal(objections.a, null, 'to a key that signs already nobody can object')
    t.ok(objections.b && objections.b <= now)
    t.equal(await store.rotate(rotation, by), undefined)
    backend.moveTime(15)
    t.equal(await store.rotate(rotation, by), undefined)
    backend.moveTime(5)
    t.ok(await store.rotate(rotation, by), 'once it was silent for long enough')
    await store.object([])
  },
)

rule('the same rotation happens once', async (t, backend) => {
  const store = await seed(backend)
  t.ok(await store.rotate(rotation, by))
  t.equal(await store.rotate({ ...rotation, next: newKey('d') }, by), undefined)
  t.equal((await store.list()).keys.length, 3)
})

rule('a rotation that fails in the middle leaves the ring as it was', async (t, backend) => {
  const store = await seed(backend)
  const before = await store.list()
  await t.rejects(store.rotate({ ...rotation, next: newKey('a') }, by), { code: '23505' })
  t.strictSame((await store.list()).keys, before.keys)
  t.equal(await countEvents(backend), 2)
})

rule('a key is listed until it is dropped', async (t, backend) => {
  const store = await seed(backend)
  await store.rotate(rotation, by)
  const listed = async () => (await store.list()).keys.map(({ keyId }) => keyId)
  backend.moveTime(55)
  t.strictSame(await listed(), ['a', 'b', 'c'])
  backend.moveTime(5)
  t.strictSame(await listed(), ['b', 'c'])
})

rule('a key is sealed again only from what it was', async (t, backend) => {
  const store = await seed(backend)
  const [from, to] = [Buffer.from('sealed a'), Buffer.from('again')]
  t.equal(await store.reseal('a', Buffer.from('else'), to, by), false)
  t.equal(await store.reseal('x', from, to, by), false)
  t.equal(await store.reseal('a', from, to, by), true)
  t.equal(await store.reseal('a', from, to, by), false)
  const { keys } = await store.list()
  t.strictSame(
    keys.map(({ sealedPrivateKey }) => sealedPrivateKey.toString()),
    ['again', 'sealed b'],
  )
  t.equal(await countEvents(backend), 3)
})

const refusedByTheSchema: Record<string, string> = {
  'a second key of an algorithm that signs without end':
    "INSERT INTO signing_keys VALUES ('x', 'ES256', '{}', '', now(), now())",
  'a second one that waits': "INSERT INTO signing_keys VALUES ('x', 'ES256', '{}', '', now())",
  'a key that signs before it is published':
    "INSERT INTO signing_keys VALUES ('x', 'RS256', '{}', '', now(), now() - interval '1 s')",
  'an end without a beginning':
    "INSERT INTO signing_keys VALUES ('x', 'RS256', '{}', '', now(), NULL, now())",
  'an end before the beginning':
    "INSERT INTO signing_keys VALUES ('x', 'RS256', '{}', '', now(), now(), now() - interval '1 s')",
  'a drop while it signs':
    "INSERT INTO signing_keys VALUES ('x', 'RS256', '{}', '', now(), now(), NULL, now())",
  'a drop before its end':
    "INSERT INTO signing_keys VALUES ('x', 'RS256', '{}', '', now(), now(), now(), now() - interval '1 s')",
  'an algorithm that nobody knows':
    "INSERT INTO signing_keys VALUES ('x', 'HS256', '{}', '', now())",
}
rule('the schema itself refuses an unsound ring', async (t, backend) => {
  const store = await seed(backend)
  const before = await store.list()
  for (const [title, statement] of Object.entries(refusedByTheSchema)) {
    await t.rejects(sql.raw(statement).execute(backend.db), { code: /^23(505|514)$/ }, title)
  }
  t.strictSame((await store.list()).keys, before.keys)
})

run()
