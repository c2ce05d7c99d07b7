import { test } from 'tap'
import type { Replacement } from '../../src/keys/key-store.ts'
import { stateOf } from '../../src/keys/lifecycle.ts'
import type { SigningAlgorithm } from '../../src/oauth/algorithm.ts'
import { createKeyEmergencyStore } from '../../src/stores/postgres/key-emergencies.ts'
import { createKeyPruners } from '../../src/stores/postgres/key-pruning.ts'
import { createMacKeyStore } from '../../src/stores/postgres/mac-keys.ts'
import { createRevocationStore } from '../../src/stores/postgres/revocations.ts'
import { createSigningKeyStore } from '../../src/stores/postgres/signing-keys.ts'
import { byCommand as by, clearKeys } from '../keys/key-fixture.ts'
import { newKey, rotation } from '../keys/key-rows.ts'
import { openPostgres, type SqlBackend } from '../support/sql-backends.ts'
import { storeContract } from '../support/store-contract.ts'

const { rule, run } = storeContract('the store of key emergencies', clearKeys)

const macKey = (number: number) => ({
  number,
  sealedKey: Buffer.from(`sealed ${number}`),
  useAfterSeconds: 0,
  retentionSeconds: 1000,
})

/** `a` signs and `b` waits, of ES256; `other` and `waits` of EdDSA; MAC key 1. */
const seed = async (backend: SqlBackend) => {
  const signingKeys = createSigningKeyStore(backend)
  const macKeys = createMacKeyStore(backend)
  await signingKeys.insertMissing(
    [
      { key: newKey('a'), signAfterSeconds: 0 },
      { key: newKey('b'), signAfterSeconds: null },
      { key: newKey('other', 'EdDSA'), signAfterSeconds: 0 },
      { key: newKey('waits', 'EdDSA'), signAfterSeconds: null },
    ],
    by,
  )
  await macKeys.insert(macKey(1), by)
  backend.moveTime(100)
  const emergencies = createKeyEmergencyStore(backend, () => 3600)
  const promote = (revoke: string, next: string) =>
    emergencies.promoteNext({ algorithm: 'ES256', revoke, next: newKey(next) }, by)
  const states = async (algorithm: SigningAlgorithm = 'ES256') => {
    const { now, keys } = await signingKeys.list()
    const ring = keys.filter((each) => each.algorithm === algorithm)
    return Object.fromEntries(ring.map((each) => [each.keyId, stateOf(each, now)]))
  }
  return { signingKeys, macKeys, emergencies, promote, states }
}

const revokedKeys = async ({ db }: SqlBackend) => {
  const rows = await db.selectFrom('revocations').select(['kind', 'value']).execute()
  return rows.map(({ kind, value }) => `${kind} ${value}`).sort()
}
const critical = async ({ db }: SqlBackend) => {
  const events = db.selectFrom('audit_events').select(['type', 'actor', 'details'])
  return events.where('severity', '=', 'critical').execute()
}

rule('a key that signs is gone at once, and the next one signs', async (t, backend) => {
  const { promote, states } = await seed(backend)
  t.equal(await promote('a', 'c'), true)
  t.strictSame(await states(), { b: 'current', c: 'next' })
  t.strictSame(await states('EdDSA'), { other: 'current', waits: 'next' }, 'other rings stay')
  t.strictSame(await revokedKeys(backend), ['kid a'])
  t.strictSame(await critical(backend), [
    {
      type: 'key.revoked',
      actor: 'cli',
      details: { key_id: 'a', algorithm: 'ES256', promoted: 'b' },
    },
  ])
  t.equal(await promote('a', 'd'), false, 'a second time there is nothing to revoke')
  t.strictSame(await states(), { b: 'current', c: 'next' })
})

rule('a key that waits is replaced by another; who signs goes on', async (t, backend) => {
  const { promote, states } = await seed(backend)
  t.equal(await promote('b', 'c'), true)
  t.strictSame(await states(), { a: 'current', c: 'next' })
  t.strictSame(await revokedKeys(backend), ['kid b'])
})

rule('a retired key is dropped; the ring goes on as it was', async (t, backend) => {
  const { signingKeys, promote, states } = await seed(backend)
  await signingKeys.rotate(rotation, by)
  backend.moveTime(10)
  t.strictSame(await states(), { a: 'retired', b: 'current', c: 'next' })
  t.equal(await promote('a', 'd'), true)
  t.strictSame(await states(), { b: 'current', c: 'next' })
})

rule(
  'a changeover that is under way is done at once when its old key leaks',
  async (t, backend) => {
    const { signingKeys, promote, states } = await seed(backend)
    await signingKeys.rotate(rotation, by)
    t.strictSame(await states(), { a: 'current', b: 'next', c: 'next' })
    t.equal(await promote('a', 'd'), true)
    t.strictSame(await states(), { b: 'current', c: 'next' })
  },
)

rule('when the key leaks that is about to sign, the one after it signs', async (t, backend) => {
  const { signingKeys, promote, states } = await seed(backend)
  await signingKeys.rotate(rotation, by)
  t.equal(await promote('b', 'd'), true)
  t.strictSame(await states(), { a: 'retired', c: 'current', d: 'next' })
})

rule('when the waiting key leaks, a changeover that is under way goes on', async (t, backend) => {
  const { signingKeys, promote, states } = await seed(backend)
  await signingKeys.rotate(rotation, by)
  t.equal(await promote('c', 'd'), true)
  t.strictSame(await states(), { a: 'current', b: 'next', d: 'next' })
  backend.moveTime(10)
  t.strictSame(await states(), { a: 'retired', b: 'current', d: 'next' })
})

rule('after an emergency the rings can be rotated as ever', async (t, backend) => {
  const { signingKeys, promote, states } = await seed(backend)
  await promote('a', 'c')
  backend.moveTime(100)
  const next = { ...rotation, retire: 'b', promote: 'c', next: newKey('d') }
  t.ok(await signingKeys.rotate(next, by))
  backend.moveTime(10)
  t.strictSame(await states(), { b: 'retired', c: 'current', d: 'next' })
})

const replacement: Replacement = {
  expected: ['a', 'other'],
  signers: [newKey('A'), newKey('O', 'EdDSA')],
  nexts: [newKey('B'), newKey('W', 'EdDSA')],
  macKey: macKey(2),
  keepMacKeys: false,
}

rule('every key is replaced at once, and all former ones are revoked', async (t, backend) => {
  const { macKeys, emergencies, states } = await seed(backend)
  t.equal(await emergencies.replaceAll(replacement, by), true)
  t.strictSame(await states(), { A: 'current', B: 'next' })
  t.strictSame(await states('EdDSA'), { O: 'current', W: 'next' })
  t.strictSame(await revokedKeys(backend), ['kid a', 'kid b', 'kid other', 'kid waits'])
  t.strictSame(
    (await macKeys.list()).keys.map(({ number }) => number),
    [2],
  )
  const [event, ...others] = await critical(backend)
  t.strictSame(others, [])
  const { revoked, ...details } = (event?.details ?? {}) as { revoked: string[] }
  t.strictSame(
    { type: event?.type, revoked: revoked.sort(), details },
    {
      type: 'key.all_replaced',
      revoked: ['a', 'b', 'other', 'waits'],
      details: { refresh_tokens: 'refused' },
    },
  )
})

rule('refresh tokens may be kept; a MAC key that waits is never used', async (t, backend) => {
  const { macKeys, emergencies } = await seed(backend)
  await macKeys.insert({ ...macKey(2), useAfterSeconds: 60 }, by)
  const kept = { ...replacement, macKey: macKey(3), keepMacKeys: true }
  t.equal(await emergencies.replaceAll(kept, by), true)
  const { now, keys } = await macKeys.list()
  t.strictSame(
    keys.map(({ number, useFrom, dropAfter }) => [number, useFrom <= now, dropAfter === null]),
    [
      [1, true, false],
      [3, true, true],
    ],
  )
})

rule('what somebody else replaced is not replaced again', async (t, backend) => {
  const { emergencies, states } = await seed(backend)
  t.equal(await emergencies.replaceAll(replacement, by), true)
  const again = { ...replacement, signers: [newKey('X')], nexts: [newKey('Y')], macKey: macKey(3) }
  t.equal(await emergencies.replaceAll(again, by), false)
  const taken = { ...again, expected: ['A', 'O'], macKey: macKey(2) }
  t.equal(await emergencies.replaceAll(taken, by), false, 'nor under a number that is taken')
  t.strictSame(await states(), { A: 'current', B: 'next' })
  t.equal((await critical(backend)).length, 1)
})

rule('rings that have lost every key may be replaced too', async (t, backend) => {
  const { emergencies, states } = await seed(backend)
  await forget(backend, 'a', 'b', 'other', 'waits')
  t.strictSame([await states(), await states('EdDSA')], [{}, {}])
  t.equal(await emergencies.replaceAll({ ...replacement, expected: [] }, by), true)
  t.strictSame(await states(), { A: 'current', B: 'next' })
})

/** As a node does whose database has come back without the emergency that revoked the keys. */
const forget = async (backend: SqlBackend, ...keyIds: string[]) => {
  const store = createRevocationStore(backend)
  const { now } = await store.readLive()
  const times = { createdAt: now, changedAt: now, expiresAt: new Date(now.getTime() + 60_000) }
  await store.insertMissing(
    keyIds.map((value) => ({ kind: 'kid' as const, value, lifted: false, ...times })),
  )
}

rule('a revocation that a database forgot drops the key again, once', async (t, backend) => {
  const { signingKeys, states } = await seed(backend)
  await forget(backend, 'a')
  t.strictSame(await states(), { b: 'current' })
  const candidates = [
    { key: newKey('too-late'), signAfterSeconds: 1000 },
    { key: newKey('c'), signAfterSeconds: null },
  ]
  await signingKeys.insertMissing(candidates, by)
  await forget(backend, 'a')
  t.strictSame(await states(), { b: 'current', c: 'next' })
  t.strictSame(await states('EdDSA'), { other: 'current', waits: 'next' }, 'other rings stay')
  t.strictSame(await revokedKeys(backend), ['kid a'])
  t.strictSame(await critical(backend), [
    {
      type: 'key.revoked',
      actor: null,
      details: { key_id: 'a', algorithm: 'ES256', reason: 'restored', promoted: 'b' },
    },
  ])
})

rule('of a key that waits too, and who signs goes on', async (t, backend) => {
  const { states } = await seed(backend)
  await forget(backend, 'b', 'unknown')
  t.strictSame(await states(), { a: 'current' })
})

rule('a ring that has lost all keys signs with a new one at once', async (t, backend) => {
  const { signingKeys, states } = await seed(backend)
  await forget(backend, 'a', 'b')
  t.strictSame(await states(), {})
  const candidates = [
    { key: newKey('c'), signAfterSeconds: 1000 },
    { key: newKey('d'), signAfterSeconds: null },
    { key: newKey('new', 'PS256'), signAfterSeconds: 1000 },
  ]
  await signingKeys.insertMissing(candidates, by)
  t.strictSame(await states(), { c: 'current', d: 'next' })
  t.strictSame(await states('PS256'), { new: 'next' }, 'that of a new algorithm waits')
})

rule('keys are removed, with their secrets, when their time is over', async (t, backend) => {
  const { signingKeys, macKeys } = await seed(backend)
  await signingKeys.rotate(rotation, by)
  await macKeys.insert(macKey(2), by)
  const prune = async () => {
    const counts: Record<string, number> = {}
    for (const { name, run } of createKeyPruners(backend)) counts[name] = await run()
    return counts
  }
  const left = async () => {
    const rows = await backend.db.selectFrom('signing_keys').select('key_id').execute()
    const numbers = await backend.db.selectFrom('mac_keys').select('number').execute()
    return [...rows.map(({ key_id }) => key_id), ...numbers.map(({ number }) => number)].sort()
  }
  backend.moveTime(55)
  t.strictSame(await prune(), { signing_keys: 0, mac_keys: 0 })
  backend.moveTime(10)
  t.strictSame(await prune(), { signing_keys: 1, mac_keys: 0 })
  t.strictSame(await left(), [1, 2, 'b', 'c', 'other', 'waits'])
  backend.moveTime(1000)
  t.strictSame(await prune(), { signing_keys: 0, mac_keys: 1 })
  t.strictSame(await left(), [2, 'b', 'c', 'other', 'waits'])
  const events = backend.db.selectFrom('audit_events').select('details')
  const removed = await events.where('type', '=', 'key.removed').execute()
  t.strictSame(
    removed.map(({ details }) => details),
    [{ key_id: 'a', algorithm: 'ES256' }, { mac_key: 1 }],
  )
})

run()

/** Whether exactly one key signs and one waits, and none of the revoked ones is left. */
const isSound = (states: Record<string, string>): boolean =>
  Object.values(states).filter((state) => state === 'current').length === 1 &&
  Object.values(states).includes('next') &&
  !('a' in states)

test('of operators who revoke the same key at once one does it', async (t) => {
  const { promote, states } = await seed(await openPostgres(t))
  const done = await Promise.all(Array.from({ length: 8 }, (_, n) => promote('a', `next ${n}`)))
  t.equal(done.filter(Boolean).length, 1)
  t.equal(isSound(await states()), true)
})

test('of operators who replace everything at once one does it', async (t) => {
  const { emergencies, states } = await seed(await openPostgres(t))
  const done = await Promise.all(
    Array.from({ length: 8 }, (_, n) =>
      emergencies.replaceAll(
        {
          ...replacement,
          signers: [newKey(`signer ${n}`)],
          nexts: [newKey(`next ${n}`)],
          macKey: macKey(2 + n),
        },
        by,
      ),
    ),
  )
  t.equal(done.filter(Boolean).length, 1)
  t.equal(isSound(await states()), true)
})

test('an emergency in the middle of rotations wins, whichever comes first', async (t) => {
  for (let round = 0; round < 10; round += 1) {
    const backend = await openPostgres(t)
    const { signingKeys, emergencies, promote, states } = await seed(backend)
    const act =
      round % 2 === 0 ? () => promote('a', 'd') : () => emergencies.replaceAll(replacement, by)
    const [rotated, done] = await Promise.all([signingKeys.rotate(rotation, by), act()])
    t.equal(
      done,
      true,
      `round ${round}, ${rotated === undefined ? 'before' : 'after'} the rotation`,
    )
    t.equal(isSound(await states()), true)
  }
})
