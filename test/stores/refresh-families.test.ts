import { randomBytes, randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Test } from 'tap'
import {
  insertFamily,
  revokeFamilies,
  revokeFamiliesOfSessions,
  setUserVersion,
} from '../../src/stores/postgres/family-endings.ts'
import { createRefreshFamilyStore } from '../../src/stores/postgres/refresh-families.ts'
import type { Rotation } from '../../src/tokens/family-store.ts'
import { seedClient, seedUser } from '../support/seeds.ts'
import { onEverySqlBackend, type SqlBackend } from '../support/sql-backends.ts'

const digest = (letter: string): Buffer => Buffer.alloc(32, letter)

/** A user with one session and one family at generation 1 whose digest is all `1`. */
const seed = async (backend: SqlBackend, { offline = false } = {}) => {
  const { db, now } = backend
  const userId = await seedUser(backend, ['user', 'admin'])
  await seedClient(backend, 'app')
  const sessionId = randomUUID()
  const familyId = randomUUID()
  await db
    .insertInto('sessions')
    .values({
      id: sessionId,
      user_id: userId,
      amr: ['pwd'],
      auth_time: now(),
      expires_at: sql<Date>`${now()} + interval '1 day'`,
    })
    .execute()
  await insertFamily(
    db,
    now,
    {
      id: familyId,
      sessionId,
      userId,
      clientId: 'app',
      scope: ['account', 'read'],
      audience: ['https://api.example'],
      amr: ['pwd'],
      acr: null,
      confirmation: null,
      offline,
      ttlSeconds: 3600,
      idleSeconds: 600,
      digest: digest('1'),
    },
    { version: 1 },
  )
  const rotation: Rotation = {
    familyId,
    generation: 1,
    digest: digest('1'),
    clientId: 'app',
    confirmation: null,
    scope: undefined,
    audience: undefined,
    successorDigest: digest('2'),
    salt: randomBytes(16),
    from: Buffer.alloc(16, 'h'),
  }
  return { userId, sessionId, familyId, rotation }
}

const row = async ({ db }: SqlBackend, familyId: string) =>
  db.selectFrom('refresh_families').selectAll().where('id', '=', familyId).executeTakeFirstOrThrow()

onEverySqlBackend(
  'families: rotate moves the one row on and returns what tokens need',
  async (t, backend) => {
    const { userId, sessionId, familyId, rotation } = await seed(backend)
    const store = createRefreshFamilyStore(backend, () => 60)
    const before = await row(backend, familyId)
    const grant = await store.rotate(rotation)
    const after = await row(backend, familyId)
    t.strictSame(grant, {
      familyId,
      sessionId,
      userId,
      clientId: 'app',
      offline: false,
      scope: ['account', 'read'],
      audience: ['https://api.example'],
      authTime: before.auth_time,
      amr: ['pwd'],
      acr: null,
      confirmation: null,
      authorizationDetails: null,
      claimsRequest: null,
      expiresAt: before.expires_at,
      roles: ['user', 'admin'],
      permissions: ['admin'],
      now: after.last_used_at,
    })
    t.equal(after.generation, 2)
    t.ok(Buffer.from(after.digest).equals(digest('2')))
    t.ok(Buffer.from(after.successor_salt ?? []).equals(rotation.salt))
    t.strictSame(after.rotated_at, after.last_used_at)
    t.strictSame(after.expires_at, before.expires_at, 'the absolute expiry never moves')
    const { count } = await backend.db
      .selectFrom('refresh_families')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    t.equal(count, 1, 'a refresh adds no row')
  },
)

const refused: readonly [
  rule: string,
  spoil: (
    backend: SqlBackend,
    ids: { userId: string; sessionId: string; familyId: string },
  ) => unknown,
  presented?: Partial<Rotation>,
][] = [
  ['another generation', () => undefined, { generation: 2 }],
  ['another secret', () => undefined, { digest: digest('x') }],
  ['another client', () => undefined, { clientId: 'thief' }],
  ['another family', () => undefined, { familyId: randomUUID() }],
  ['a scope that the family has not', () => undefined, { scope: ['write'] }],
  ['an audience that the family has not', () => undefined, { audience: ['https://other.example'] }],
  [
    'a revoked family',
    ({ db, now }, { familyId }) => revokeFamilies(db, now, sql`f.id = ${familyId}::uuid`, 'test'),
  ],
  [
    'an expired family',
    ({ db, now }, { familyId }) =>
      sql`UPDATE refresh_families SET expires_at = ${now()} WHERE id = ${familyId}::uuid`.execute(
        db,
      ),
  ],
  ['an idle family', ({ moveTime }) => moveTime(600)],
  [
    'a disabled user',
    ({ db }, { userId }) =>
      sql`UPDATE users SET status = 'disabled' WHERE id = ${userId}::uuid`.execute(db),
  ],
  [
    'a user whose version moved on',
    ({ db }, { userId }) =>
      sql`UPDATE users SET version = 2 WHERE id = ${userId}::uuid`.execute(db),
  ],
  [
    'an ended session',
    ({ db, now }, { sessionId }) =>
      sql`UPDATE sessions SET ended_at = ${now()} WHERE id = ${sessionId}::uuid`.execute(db),
  ],
  [
    'a family of another key',
    ({ db }, { familyId }) =>
      sql`UPDATE refresh_families SET confirmation = 'k1' WHERE id = ${familyId}::uuid`.execute(db),
  ],
]
onEverySqlBackend('families: rotate and touch refuse, and change nothing', async (t, backend) => {
  for (const [rule, spoil, presented = {}] of refused) {
    const { rotation, ...ids } = await seed(backend)
    const store = createRefreshFamilyStore(backend, () => 60)
    await spoil(backend, ids)
    const before = await row(backend, ids.familyId)
    t.equal(await store.rotate({ ...rotation, ...presented }), undefined, `rotate refuses ${rule}`)
    t.equal(await store.touch({ ...rotation, ...presented }), undefined, `touch refuses ${rule}`)
    t.strictSame(await row(backend, ids.familyId), before, `${rule} changes nothing`)
  }
})

onEverySqlBackend('families: an offline family outlives its session', async (t, backend) => {
  const { rotation, sessionId } = await seed(backend, { offline: true })
  const store = createRefreshFamilyStore(backend, () => 60)
  await sql`UPDATE sessions SET ended_at = now() WHERE id = ${sessionId}::uuid`.execute(backend.db)
  await revokeFamiliesOfSessions(backend.db, backend.now, [sessionId], 'sign_out')
  t.match(await store.rotate(rotation), { offline: true })
})

onEverySqlBackend('families: touch moves the last use and nothing else', async (t, backend) => {
  const { rotation, familyId } = await seed(backend)
  const store = createRefreshFamilyStore(backend, () => 60)
  const before = await row(backend, familyId)
  backend.moveTime(5)
  t.match(await store.touch(rotation), { familyId })
  const after = await row(backend, familyId)
  t.strictSame({ ...after, last_used_at: before.last_used_at }, before)
  t.ok(after.last_used_at.getTime() >= before.last_used_at.getTime() + 5000)
})

onEverySqlBackend(
  'families: inspect tells the state, the outages since the rotation, or nothing',
  async (t, backend) => {
    const { rotation, familyId } = await seed(backend)
    const store = createRefreshFamilyStore(backend, () => 60)
    t.equal(await store.inspect(randomUUID()), undefined)
    await store.rotate(rotation)
    const { rotated_at: rotatedAt } = await row(backend, familyId)
    if (rotatedAt === null) return t.fail('not rotated')
    const outage = (start: number, end: number) => ({
      id: randomUUID(),
      started_at: new Date(rotatedAt.getTime() + start * 1000),
      ended_at: new Date(rotatedAt.getTime() + end * 1000),
    })
    await backend.db
      .insertInto('outages')
      .values([outage(-60, -30), outage(2, 62)])
      .execute()
    backend.moveTime(70)
    const view = await store.inspect(familyId)
    t.match(view?.state, {
      clientId: 'app',
      revoked: false,
      subjectActive: true,
      sessionLive: true,
      generation: 2,
      confirmation: null,
    })
    t.ok(view?.state.digest.equals(digest('2')))
    t.ok(view?.state.rotatedFrom?.equals(rotation.from))
    t.ok(view?.salt?.equals(rotation.salt))
    t.strictSame(
      view?.outages.map(({ startedAt, endedAt }) => [
        Math.round((startedAt.getTime() - rotatedAt.getTime()) / 1000),
        Math.round((endedAt.getTime() - rotatedAt.getTime()) / 1000),
      ]),
      [[2, 62]],
    )
    return undefined
  },
)

onEverySqlBackend(
  'families: revoke ends once, with its entry and event in the same transaction',
  async (t, backend) => {
    const { familyId, userId } = await seed(backend)
    const store = createRefreshFamilyStore(backend, () => 60)
    const event = {
      type: 'family.reused' as const,
      outcome: 'failure' as const,
      subject: userId,
      familyId,
      details: { generation: 1 },
      origin: { requestId: 'r1', address: '203.0.113.7', userAgent: 'test' },
    }
    t.equal(await store.revoke(familyId, 'reused', [event]), true)
    t.equal(await store.revoke(familyId, 'reused', [event]), false)
    t.match(await row(backend, familyId), { revoked_reason: 'reused', revoked_at: Date })
    const entries = await backend.db.selectFrom('revocations').selectAll().execute()
    t.match(entries, [{ kind: 'fam', value: familyId, lifted: false }])
    t.equal(
      (entries[0]?.expires_at.getTime() ?? 0) - (entries[0]?.created_at.getTime() ?? 0),
      60_000,
    )
    const events = await backend.db.selectFrom('audit_events').selectAll().execute()
    t.match(events, [
      {
        type: 'family.reused',
        severity: 'critical',
        outcome: 'failure',
        subject: userId,
        family_id: familyId,
        request_id: 'r1',
        address: '203.0.113.7',
        user_agent: 'test',
        details: { generation: 1 },
      },
    ])
  },
)

onEverySqlBackend(
  'families: an event that cannot be written leaves the family as it was',
  async (t, backend) => {
    const { familyId } = await seed(backend)
    const store = createRefreshFamilyStore(backend, () => 60)
    const unwritable = {
      type: 'family.reused' as const,
      outcome: 'failure' as const,
      subject: 'nul \u0000',
      origin: {},
    }
    await t.rejects(store.revoke(familyId, 'reused', [unwritable]))
    t.match(await row(backend, familyId), { revoked_at: null })
    t.strictSame(await backend.db.selectFrom('revocations').selectAll().execute(), [])
  },
)

onEverySqlBackend(
  'families: a changed role leaves them alive with the new version',
  async (t, backend) => {
    const { rotation, userId } = await seed(backend)
    const store = createRefreshFamilyStore(backend, () => 60)
    await sql`UPDATE users SET version = 7, roles = '{user}' WHERE id = ${userId}::uuid`.execute(
      backend.db,
    )
    await setUserVersion(backend.db, userId, 7)
    t.match(await store.rotate(rotation), { roles: ['user'], permissions: [] })
  },
)

onEverySqlBackend('families: copyUserVersion follows the user', async (t, backend) => {
  const { rotation, familyId, userId } = await seed(backend)
  const store = createRefreshFamilyStore(backend, () => 60)
  await sql`UPDATE users SET version = 9 WHERE id = ${userId}::uuid`.execute(backend.db)
  t.equal(await store.rotate(rotation), undefined)
  await store.copyUserVersion(familyId)
  t.match(await store.rotate(rotation), { familyId })
})

const changedByRefresh = [
  'generation',
  'digest',
  'successor_salt',
  'rotated_at',
  'rotated_from',
  'last_used_at',
]

onEverySqlBackend(
  'families: no index, predicate or expression names a column that a refresh changes',
  async (t: Test, { db }) => {
    const { rows } = await sql<{ definition: string }>`
    SELECT pg_get_indexdef(indexrelid) AS definition FROM pg_index
    WHERE indrelid = 'refresh_families'::regclass`.execute(db)
    t.ok(rows.length > 0)
    for (const { definition } of rows) {
      for (const column of changedByRefresh) t.notMatch(definition, new RegExp(`\\b${column}\\b`))
    }
  },
)
