import { sql } from 'kysely'
import { type Test, test } from 'tap'
import { createSteeredClock } from '../../src/clock.ts'
import { Unavailable } from '../../src/oauth/unavailable.ts'
import { createRevocations, type RevocationStore } from '../../src/revocation/revocations.ts'
import { createMemoryBus } from '../../src/stores/memory/bus.ts'
import { insertRevocations, liftRevocation } from '../../src/stores/postgres/revocation-rows.ts'
import { createRevocationStore } from '../../src/stores/postgres/revocations.ts'
import { openPostgres, type SqlBackend } from '../support/sql-backends.ts'
import { waitUntil } from '../support/wait-until.ts'

const never = 3_600_000

/** One node's view of the table. */
const openView = (
  t: Test,
  backend: SqlBackend,
  { pollMs = never, bus = createMemoryBus(), change = (store: RevocationStore) => store } = {},
) => {
  const clock = createSteeredClock()
  const failures: unknown[] = []
  const revocations = createRevocations({
    store: change(createRevocationStore(backend)),
    bus,
    clock: clock.now,
    onReading: clock.steer,
    onFailure: (error) => void failures.push(error),
    pollMs,
  })
  t.teardown(() => revocations.close())
  return { revocations, failures, bus }
}

const revoke = (backend: SqlBackend, value: string, kind: 'fam' | 'sub' = 'fam') =>
  insertRevocations(backend.db, backend.now, 60, [{ kind, value }])

test('revocations: everything live is known after the start', async (t) => {
  const backend = await openPostgres(t)
  await revoke(backend, 'before')
  const { revocations } = openView(t, backend)
  await revocations.start()
  t.equal(revocations.revokedBy({ familyId: 'before' }), 'fam')
  t.equal(revocations.revokedBy({ familyId: 'other' }), undefined)
  t.equal(revocations.revokedBy({ sessionId: 'before' }), undefined, 'a kind is its own')
})

test('revocations: polling brings what another node wrote, without any hint', async (t) => {
  const backend = await openPostgres(t)
  const { revocations } = openView(t, backend, { pollMs: 20 })
  await revocations.start()
  await revoke(backend, 'other')
  await waitUntil('the poll', () => revocations.revokedBy({ familyId: 'other' }))
})

test('revocations: who watches a kind is told of its new entries, each once', async (t) => {
  const backend = await openPostgres(t)
  await revoke(backend, 'known at the start')
  const { revocations } = openView(t, backend)
  const told: string[] = []
  revocations.watch('fam', () => told.push('fam'))
  revocations.watch('kid', () => told.push('kid'))
  await revocations.start()
  t.strictSame(told, [])
  await revoke(backend, 'one')
  await revoke(backend, 'two')
  await revoke(backend, 'three', 'sub')
  await revocations.announce()
  t.strictSame(told, ['fam'], 'one reading, one call')
  await revocations.announce()
  t.strictSame(told, ['fam'])
})

test('revocations: a hint brings what another node wrote, without polling', async (t) => {
  const backend = await openPostgres(t)
  const bus = createMemoryBus()
  const { revocations } = openView(t, backend, { bus })
  await revocations.start()
  await revoke(backend, 'hinted')
  bus.publish('revocations')
  await waitUntil('the hint to be followed', () => revocations.revokedBy({ familyId: 'hinted' }))
})

test('revocations: announce makes this node know before it returns', async (t) => {
  const backend = await openPostgres(t)
  const { revocations } = openView(t, backend)
  await revocations.start()
  await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      await revoke(backend, `family ${index}`)
      await revocations.announce()
      t.equal(revocations.revokedBy({ familyId: `family ${index}` }), 'fam')
    }),
  )
})

test('revocations: an entry whose transaction commits late is seen all the same', async (t) => {
  const backend = await openPostgres(t)
  const { revocations } = openView(t, backend)
  await revocations.start()
  const written = Promise.withResolvers<void>()
  const mayCommit = Promise.withResolvers<void>()
  const slow = backend.db.transaction().execute(async (trx) => {
    await insertRevocations(trx, backend.now, 60, [{ kind: 'fam', value: 'late' }])
    written.resolve()
    await mayCommit.promise
  })
  await written.promise
  await revoke(backend, 'early to commit, later in time')
  await revocations.announce()
  t.equal(revocations.revokedBy({ familyId: 'late' }), undefined)
  mayCommit.resolve()
  await slow
  await revocations.announce()
  t.equal(revocations.revokedBy({ familyId: 'late' }), 'fam')
})

test('revocations: an entry made after the database’s clock went back is seen all the same', async (t) => {
  const backend = await openPostgres(t)
  const { revocations } = openView(t, backend)
  await revocations.start()
  await revoke(backend, 'before the step')
  await revocations.announce()
  backend.moveTime(-300)
  await revoke(backend, 'after the step')
  await revocations.announce()
  t.equal(revocations.revokedBy({ familyId: 'after the step' }), 'fam')
  t.equal(revocations.revokedBy({ familyId: 'before the step' }), 'fam')
})

test('revocations: a lifted entry is forgotten by every node', async (t) => {
  const backend = await openPostgres(t)
  await revoke(backend, 'user', 'sub')
  const { revocations } = openView(t, backend)
  await revocations.start()
  t.equal(revocations.revokedBy({ subject: 'user' }), 'sub')
  await liftRevocation(backend.db, backend.now, 60, { kind: 'sub', value: 'user' })
  await revocations.announce()
  t.equal(revocations.revokedBy({ subject: 'user' }), undefined)
})

test('revocations: an entry holds until the second it expires', async (t) => {
  const backend = await openPostgres(t)
  await revoke(backend, 'short')
  const { revocations } = openView(t, backend)
  await revocations.start()
  backend.moveTime(55)
  await revocations.announce()
  t.equal(revocations.revokedBy({ familyId: 'short' }), 'fam')
  backend.moveTime(5)
  await revocations.announce()
  t.equal(revocations.revokedBy({ familyId: 'short' }), undefined)
})

test('revocations: what a token is revoked by is told key first, client last', async (t) => {
  const backend = await openPostgres(t)
  const claims = {
    keyId: 'k',
    tokenId: 'j',
    familyId: 'f',
    sessionId: 's',
    subject: 'u',
    clientId: 'c',
  }
  const kinds = ['client', 'sub', 'sid', 'fam', 'jti', 'kid'] as const
  const values = ['c', 'u', 's', 'f', 'j', 'k']
  const { revocations } = openView(t, backend)
  await revocations.start()
  for (const [index, kind] of kinds.entries()) {
    await insertRevocations(backend.db, backend.now, 60, [{ kind, value: values[index] ?? '' }])
    await revocations.announce()
    t.equal(revocations.revokedBy(claims), kind)
  }
})

test('revocations: when another server answers, entries that it lacks are put back, lifted ones are not', async (t) => {
  const backend = await openPostgres(t)
  let server = 'first'
  const change = (store: RevocationStore): RevocationStore => ({
    readLive: async () => ({ ...(await store.readLive()), server }),
    readChangedSince: async (since) => ({ ...(await store.readChangedSince(since)), server }),
    insertMissing: store.insertMissing,
  })
  const { revocations } = openView(t, backend, { change })
  await revocations.start()
  await revoke(backend, 'lost')
  await revoke(backend, 'lifted')
  await liftRevocation(backend.db, backend.now, 60, { kind: 'fam', value: 'lifted' })
  await revocations.announce()
  await sql`DELETE FROM revocations`.execute(backend.db)
  server = 'second'
  await revocations.announce()
  t.equal(revocations.revokedBy({ familyId: 'lost' }), 'fam', 'still known here')
  const { entries } = await createRevocationStore(backend).readLive()
  t.match(entries, [{ kind: 'fam', value: 'lost' }])
  t.equal(entries.length, 1)
})

test('revocations: a view that is too old is renewed, or refused while the database is away', async (t) => {
  const backend = await openPostgres(t)
  let away = false
  const guard = async <T>(act: () => Promise<T>): Promise<T> => {
    if (away) throw new Unavailable('the database does not answer')
    return act()
  }
  const change = (store: RevocationStore): RevocationStore => ({
    ...store,
    readLive: () => guard(store.readLive),
    readChangedSince: (since) => guard(() => store.readChangedSince(since)),
  })
  const { revocations } = openView(t, backend, { change })
  await revocations.start()
  await revoke(backend, 'unheard')
  away = true
  await revocations.ensureFresh(never)
  t.equal(revocations.revokedBy({ familyId: 'unheard' }), undefined)
  await t.rejects(revocations.ensureFresh(0), Unavailable)
  await t.rejects(revocations.announce(), Unavailable)
  away = false
  await revocations.ensureFresh(0)
  t.equal(revocations.revokedBy({ familyId: 'unheard' }), 'fam')
})

test('revocations: the start fails when the database does not answer', async (t) => {
  const backend = await openPostgres(t)
  const change = (store: RevocationStore): RevocationStore => ({
    ...store,
    readLive: async () => {
      throw new Unavailable('the database does not answer')
    },
  })
  const { revocations } = openView(t, backend, { change })
  await t.rejects(revocations.start(), Unavailable)
})
