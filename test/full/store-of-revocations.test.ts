import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { createAudienceStore } from '../../src/stores/postgres/audiences.ts'
import { insertRevocations, liftRevocation } from '../../src/stores/postgres/revocation-rows.ts'
import { createRevocationStore } from '../../src/stores/postgres/revocations.ts'
import { seedClient, seedUser } from '../support/seeds.ts'
import { onEverySqlBackend, type SqlBackend } from '../support/sql-backends.ts'

const insert = ({ db, now }: SqlBackend, value: string, lifetimeSeconds = 60) =>
  insertRevocations(db, now, lifetimeSeconds, [{ kind: 'fam', value }])

const valuesOf = ({ entries }: { entries: readonly { value: string }[] }) =>
  entries.map(({ value }) => value).sort()

onEverySqlBackend(
  'revocations: an empty table still tells the time and the server',
  async (t, backend) => {
    const reading = await createRevocationStore(backend).readLive()
    t.strictSame(reading.entries, [])
    t.type(reading.now, Date)
    t.match(reading.server, /^\d{4}-/)
    t.equal(reading.writable, true)
  },
)

onEverySqlBackend('revocations: a server that only reads says so', async (t, { db, now }) => {
  const reading = await db.transaction().execute(async (trx) => {
    await sql`SET TRANSACTION READ ONLY`.execute(trx)
    return createRevocationStore({ db: trx, now }).readLive()
  })
  t.equal(reading.writable, false)
})

onEverySqlBackend(
  'revocations: live ones are read whole, expired ones are not',
  async (t, backend) => {
    const store = createRevocationStore(backend)
    await insert(backend, 'short', 10)
    await insert(backend, 'long', 100)
    backend.moveTime(10)
    const { entries, now } = await store.readLive()
    t.match(entries, [{ kind: 'fam', value: 'long', lifted: false }])
    t.ok((entries[0]?.expiresAt.getTime() ?? 0) > now.getTime())
  },
)

onEverySqlBackend(
  'revocations: what changed since a moment is read, lifted ones too',
  async (t, backend) => {
    const store = createRevocationStore(backend)
    await insert(backend, 'old', 1000)
    await insert(backend, 'lifted', 1000)
    backend.moveTime(100)
    const { now: since } = await store.readLive()
    await liftRevocation(backend.db, backend.now, 60, { kind: 'fam', value: 'lifted' })
    await insert(backend, 'new')
    const reading = await store.readChangedSince(since)
    t.strictSame(valuesOf(reading), ['lifted', 'new'])
    t.strictSame(reading.entries.map(({ value, lifted }) => [value, lifted]).sort(), [
      ['lifted', true],
      ['new', false],
    ])
  },
)

onEverySqlBackend(
  'revocations: an entry outlives tokens whose lifetime was raised on another node a moment ago',
  async (t, backend) => {
    const store = createRevocationStore(backend)
    const day = 86_400
    await createAudienceStore(backend).set(
      { name: 'https://api.example', accessTokenTtlSeconds: day },
      { type: 'audience.updated', outcome: 'success', actor: 'cli', origin: {} },
    )
    await insert(backend, 'family', 60)
    backend.moveTime(day)
    t.strictSame(valuesOf(await store.readLive()), ['family'])
    backend.moveTime(day)
    t.strictSame(valuesOf(await store.readLive()), [])
  },
)

onEverySqlBackend(
  'revocations: the same entry twice is one, prolonged, and stands again when lifted',
  async (t, backend) => {
    const store = createRevocationStore(backend)
    await insert(backend, 'twice', 100)
    await liftRevocation(backend.db, backend.now, 60, { kind: 'fam', value: 'twice' })
    await insert(backend, 'twice', 50)
    const { entries } = await store.readLive()
    t.match(entries, [{ value: 'twice', lifted: false }])
    t.equal(entries.length, 1)
    await insertRevocations(backend.db, backend.now, 60, [
      { kind: 'sid', value: 'a' },
      { kind: 'sid', value: 'a' },
    ])
    t.equal((await store.readLive()).entries.length, 2, 'named twice in one act is one entry')
  },
)

onEverySqlBackend(
  'revocations: what a failover lost is put back, what stands is left alone',
  async (t, backend) => {
    const store = createRevocationStore(backend)
    await insert(backend, 'lost', 1000)
    await insert(backend, 'kept', 1000)
    const before = await store.readLive()
    await sql`DELETE FROM revocations WHERE value = 'lost'`.execute(backend.db)
    await liftRevocation(backend.db, backend.now, 60, { kind: 'fam', value: 'kept' })
    await store.insertMissing(before.entries)
    const after = await store.readLive()
    t.strictSame(valuesOf(after), ['kept', 'lost'])
    t.strictSame(
      after.entries.find(({ value }) => value === 'lost')?.expiresAt,
      before.entries.find(({ value }) => value === 'lost')?.expiresAt,
    )
    t.equal(after.entries.find(({ value }) => value === 'kept')?.lifted, true)
  },
)

onEverySqlBackend(
  'revocations: however many entries a failover lost, all are put back',
  async (t, backend) => {
    const store = createRevocationStore(backend)
    const { now } = await store.readLive()
    const times = { createdAt: now, changedAt: now, expiresAt: new Date(now.getTime() + 60_000) }
    const lost = Array.from({ length: 14_000 }, (_, index) => ({
      ...{ kind: 'jti' as const, value: `token ${index}`, lifted: false },
      ...times,
    }))
    await store.insertMissing(lost)
    t.equal((await store.readLive()).entries.length, lost.length)
  },
)

/** A session with a family that ends with it, and one that outlives it. */
const seedSignIn = async ({ db }: SqlBackend, userId: string, clientId: string) => {
  const ids = { session: randomUUID(), bound: randomUUID(), offline: randomUUID() }
  await sql`INSERT INTO sessions (id, user_id, amr, auth_time, expires_at)
    VALUES (${ids.session}::uuid, ${userId}::uuid, '{pwd}', now(), now() + interval '1 day')`.execute(
    db,
  )
  for (const [id, offline] of [
    [ids.bound, false],
    [ids.offline, true],
  ] as const) {
    await sql`INSERT INTO refresh_families (id, session_id, user_id, user_version, client_id, scope,
        audience, auth_time, amr, offline, expires_at, idle_timeout, generation, digest, last_used_at)
      VALUES (${id}::uuid, ${ids.session}::uuid, ${userId}::uuid, 1, ${clientId}, '{}', '{}', now(),
        '{}', ${offline}, now() + interval '1 day', interval '1 hour', 1, '\\x00', now())`.execute(
      db,
    )
  }
  return ids
}

onEverySqlBackend(
  'revocations: what lost entries had ended is ended again, with its events, and nothing else',
  async (t, backend) => {
    const { db } = backend
    await seedClient(backend, 'app')
    await seedClient(backend, 'gone')
    const [user, disabled] = [await seedUser(backend), await seedUser(backend)]
    const untouched = await seedSignIn(backend, user, 'app')
    const signedOut = await seedSignIn(backend, user, 'app')
    const revoked = await seedSignIn(backend, user, 'app')
    await seedSignIn(backend, user, 'gone')
    const ofDisabled = await seedSignIn(backend, disabled, 'app')

    const store = createRevocationStore(backend)
    const { now } = await store.readLive()
    const expiresAt = new Date(now.getTime() + 60_000)
    const lost = (
      [
        ['sid', signedOut.session],
        ['fam', revoked.offline],
        ['client', 'gone'],
        ['sub', disabled],
        ['sub', 'no user at all'],
        ['jti', 'a token'],
      ] as const
    ).map(([kind, value]) => ({
      ...{ kind, value, createdAt: now, changedAt: now, expiresAt, lifted: false },
    }))
    await store.insertMissing(lost)

    const families = await db
      .selectFrom('refresh_families')
      .select('id')
      .where('revoked_at', 'is', null)
      .execute()
    t.strictSame(
      families.map(({ id }) => id).sort(),
      [untouched.bound, untouched.offline, signedOut.offline, revoked.bound].sort(),
      'a family that outlives its session lives',
    )
    const sessions = await db
      .selectFrom('sessions')
      .select('id')
      .where('ended_at', 'is not', null)
      .execute()
    t.strictSame(
      sessions.map(({ id }) => id).sort(),
      [signedOut.session, ofDisabled.session].sort(),
    )
    const users = await db.selectFrom('users').select(['id', 'status', 'version']).execute()
    t.strictSame(
      Object.fromEntries(users.map(({ id, status, version }) => [id, [status, Number(version)]])),
      { [user]: ['active', 1], [disabled]: ['disabled', 2] },
    )
    const { rows } = await sql<{ id: string }>`
      SELECT id FROM clients WHERE disabled_at IS NOT NULL`.execute(db)
    t.strictSame(rows, [{ id: 'gone' }])
    const events = await db
      .selectFrom('audit_events')
      .select(['type', 'details'])
      .orderBy('type')
      .execute()
    const restored = { reason: 'restored' }
    t.strictSame(
      events,
      [
        'client.disabled',
        ...Array.from({ length: 6 }, () => 'family.revoked'),
        'session.ended',
        'session.ended',
        'user.disabled',
      ].map((type) => ({ type, details: restored })),
    )
    t.equal((await store.readLive()).entries.length, lost.length)

    await store.insertMissing(lost)
    const again = await db.selectFrom('audit_events').select('id').execute()
    t.equal(again.length, events.length, 'a second node finds it done')
  },
)
