import { randomBytes } from 'node:crypto'
import t from 'tap'
import { Unavailable } from '../../src/oauth/unavailable.ts'
import {
  decodeRefreshToken,
  encodeRefreshToken,
  type RefreshTokenParts,
} from '../../src/secrets/refresh-token.ts'
import { openPostgres } from '../support/sql-backends.ts'
import { waitUntil } from '../support/wait-until.ts'
import { byCommand, openNode } from './key-fixture.ts'

const parts: RefreshTokenParts = {
  familyId: '11111111-2222-4333-8444-555555555555',
  generation: 1,
  secret: randomBytes(32),
}

t.test('the first start makes key 1, later ones keep it', async (t) => {
  const backend = await openPostgres(t)
  const keys = [randomBytes(32)]
  const [first, second] = [openNode(t, backend, keys), openNode(t, backend, keys)]
  await first.macRing.start()
  await second.macRing.start()
  const { number, key } = first.macRing.current()
  t.equal(number, 1)
  t.equal(key.symmetricKeySize, 32)
  t.strictSame(second.macRing.current(), { number, key })
  t.strictSame(await second.macRing.find(1), key)
})

t.test('before it is started no key is in use', async (t) => {
  const { macRing } = openNode(t, await openPostgres(t))
  t.throws(() => macRing.current(), new Unavailable('no MAC key is in use yet'))
})

t.test('a new key is used once every node has had time to learn of it, or to object', async (t) => {
  const backend = await openPostgres(t)
  const { macRing, administration } = openNode(t, backend)
  await macRing.start()
  const before = encodeRefreshToken(parts, macRing.current())
  t.match(await administration.rotateMacKey(byCommand), { outcome: 'rotated', number: 2 })
  await macRing.reload()
  t.equal(macRing.current().number, 1)
  backend.moveTime(119)
  await macRing.reload()
  t.equal(macRing.current().number, 1, 'a second before')
  backend.moveTime(1)
  await macRing.reload()
  t.equal(macRing.current().number, 2, 'at its time')
  t.strictSame(await decodeRefreshToken(before, macRing), parts, 'older tokens stay genuine')
})

t.test('a token with a key that this node has not seen is found by one reload', async (t) => {
  const backend = await openPostgres(t)
  const keys = [randomBytes(32)]
  const [first, second] = [openNode(t, backend, keys), openNode(t, backend, keys)]
  await first.macRing.start()
  await second.macRing.start()
  await first.administration.rotateMacKey(byCommand)
  backend.moveTime(120)
  await first.macRing.reload()
  t.equal(first.macRing.current().number, 2)
  const token = encodeRefreshToken(parts, first.macRing.current())
  t.strictSame(await decodeRefreshToken(token, second.macRing), parts)
})

t.test('a number that nobody has is undefined, 0 without looking', async (t) => {
  const { macRing } = openNode(t, await openPostgres(t))
  await macRing.start()
  t.equal(await macRing.find(200), undefined)
  t.equal(await macRing.find(0), undefined)
})

t.test('unknown numbers cause one query a second; without the database they are 503', async (t) => {
  const backend = await openPostgres(t)
  const { macRing, errors } = openNode(t, backend)
  await macRing.start()
  await backend.db.destroy()
  const lookups = Array.from({ length: 100 }, (_, index) => macRing.find(100 + index))
  for (const result of await Promise.allSettled(lookups)) {
    t.strictSame(result, {
      status: 'rejected',
      reason: new Unavailable('the MAC keys cannot be read'),
    })
  }
  t.match(errors, [['the MAC keys could not be read again', { err: Error }]])
  t.equal(await macRing.find(0), undefined)
  t.equal((await macRing.find(1))?.symmetricKeySize, 32, 'known keys need no database')
})

t.test('keys of another node arrive by themselves', async (t) => {
  const backend = await openPostgres(t)
  const keys = [randomBytes(32)]
  const first = openNode(t, backend, keys)
  const second = openNode(t, backend, keys, { reloadIntervalMs: 20 })
  await first.macRing.start()
  await second.macRing.start()
  await first.administration.rotateMacKey(byCommand)
  backend.moveTime(120)
  await waitUntil('the new key', () => second.macRing.current().number === 2)
  t.pass('without being asked')
})

t.test(
  'without the key-encryption key that was used the start fails with what to do',
  async (t) => {
    const backend = await openPostgres(t)
    await openNode(t, backend).macRing.start()
    await t.rejects(openNode(t, backend).macRing.start(), {
      name: 'SealError',
      message: /^MAC key 1 is sealed under .* not configured: add the key .* KEY_ENCRYPTION_KEY /,
    })
  },
)

t.test('changing the key-encryption key leaves every token valid', async (t) => {
  const backend = await openPostgres(t)
  const [older, newer] = [randomBytes(32), randomBytes(32)]
  const before = openNode(t, backend, [older])
  await before.macRing.start()
  const token = encodeRefreshToken(parts, before.macRing.current())
  const during = openNode(t, backend, [newer, older])
  t.equal(await during.administration.reseal(byCommand), 1)
  const after = openNode(t, backend, [newer])
  await after.macRing.start()
  t.strictSame(await decodeRefreshToken(token, after.macRing), parts)
  await before.macRing.reload()
  t.match(before.errors, [['a MAC key cannot be opened', { err: { name: 'SealError' } }]])
  t.strictSame(await decodeRefreshToken(token, before.macRing), parts, 'where it was open already')
})
