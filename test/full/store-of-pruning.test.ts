import { randomUUID } from 'node:crypto'
import { type RawBuilder, sql } from 'kysely'
import { test } from 'tap'
import { type Chore, createHousekeeping } from '../../src/jobs/housekeeping.ts'
import { createPruners } from '../../src/stores/postgres/pruning.ts'
import { seedClient, seedUser } from '../support/seeds.ts'
import { onEverySqlBackend, openPostgres, type SqlBackend } from '../support/sql-backends.ts'
import { waitUntil } from '../support/wait-until.ts'

type Ages = { readonly expiresIn: string; readonly usedBefore?: string }

/** A user, and the client `app`. */
const seedOwner = async (backend: SqlBackend): Promise<string> => {
  await seedClient(backend, 'app')
  return seedUser(backend)
}

const interval = (text: string): RawBuilder<unknown> => sql`${text}::interval`

/** A family that allows one hour of idleness. */
const seedFamily = async (
  { db, now }: SqlBackend,
  userId: string,
  { expiresIn, usedBefore = '0' }: Ages,
): Promise<string> => {
  const id = randomUUID()
  await sql`
    INSERT INTO refresh_families (id, user_id, user_version, client_id, scope, audience, auth_time,
      amr, offline, expires_at, idle_timeout, generation, digest, last_used_at)
    VALUES (${id}::uuid, ${userId}::uuid, 1, 'app', '{}', '{}', ${now()}, '{}', true,
      ${now()} + ${interval(expiresIn)}, interval '1 hour', 1, '\\x00',
      ${now()} - ${interval(usedBefore)})`.execute(db)
  return id
}

const familyIds = async ({ db }: SqlBackend): Promise<string[]> =>
  (await db.selectFrom('refresh_families').select('id').orderBy('id').execute()).map(({ id }) => id)

/** Lets a chore come round: a walk that begins anywhere passes its beginning again. */
const runThrough = async ({ run }: Chore): Promise<number> =>
  (await run()) + (await run()) + (await run())

const runAll = async (backend: SqlBackend): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const chore of createPruners(backend)) counts[chore.name] = await runThrough(chore)
  return counts
}

onEverySqlBackend(
  'pruning: families that expired or idled away go, live ones stay',
  async (t, backend) => {
    const userId = await seedOwner(backend)
    const live = await seedFamily(backend, userId, { expiresIn: '1 day', usedBefore: '59 minutes' })
    await seedFamily(backend, userId, { expiresIn: '-1 second' })
    await seedFamily(backend, userId, { expiresIn: '1 day', usedBefore: '61 minutes' })
    t.match(await runAll(backend), { refresh_families: 1, 'refresh_families (ended)': 1 })
    t.strictSame(await familyIds(backend), [live])
    t.match(await runAll(backend), { refresh_families: 0, 'refresh_families (ended)': 0 })
  },
)

onEverySqlBackend(
  'pruning: the walk over idle families reaches each of them, batch after batch',
  async (t, backend) => {
    const userId = await seedOwner(backend)
    await sql`
    INSERT INTO refresh_families (id, user_id, user_version, client_id, scope, audience, auth_time,
      amr, offline, expires_at, idle_timeout, generation, digest, last_used_at)
    SELECT gen_random_uuid(), ${userId}::uuid, 1, 'app', '{}', '{}', now(), '{}', true,
      now() + interval '1 day', interval '1 hour', 1, '\\x00',
      now() - CASE WHEN n % 2 = 0 THEN interval '2 hours' ELSE interval '0' END
    FROM generate_series(1, 5000) n`.execute(backend.db)
    const walk = createPruners(backend).find(({ name }) => name === 'refresh_families (ended)')
    if (walk === undefined) return t.fail('there is no such pruner')
    // Of 5000 rows, 2000 at a time: at most three to the end, one that finds the end, three more.
    let pruned = 0
    for (let step = 0; step < 7; step += 1) pruned += await walk.run()
    t.equal(pruned, 2500)
    t.equal((await familyIds(backend)).length, 2500)
    return undefined
  },
)

onEverySqlBackend(
  'pruning: sessions, revocations, secrets and outages go once nobody can ask for them',
  async (t, backend) => {
    const { db, now } = backend
    const userId = await seedOwner(backend)
    for (const expiresIn of ['-1 second', '1 hour']) {
      await sql`
      INSERT INTO sessions (id, user_id, amr, auth_time, expires_at)
      VALUES (gen_random_uuid(), ${userId}::uuid, '{pwd}', ${now()}, ${now()} + ${interval(expiresIn)})`.execute(
        db,
      )
      await sql`
      INSERT INTO revocations (kind, value, expires_at)
      VALUES ('fam', ${expiresIn}, ${now()} + ${interval(expiresIn)})`.execute(db)
      await sql`
      INSERT INTO client_secrets (id, client_id, digest, expires_at)
      VALUES (gen_random_uuid(), 'app', '\\x00', ${now()} + ${interval(expiresIn)})`.execute(db)
    }
    await sql`
    INSERT INTO client_secrets (id, client_id, digest) VALUES (gen_random_uuid(), 'app', '\\x01')`.execute(
      db,
    )
    for (const endedBefore of ['25 hours', '1 hour']) {
      await sql`
      INSERT INTO outages (id, started_at, ended_at) VALUES (gen_random_uuid(),
        ${now()} - ${interval(endedBefore)} - interval '1 minute',
        ${now()} - ${interval(endedBefore)})`.execute(db)
    }
    t.match(await runAll(backend), { sessions: 1, revocations: 1, client_secrets: 1, outages: 1 })
    t.match(await runAll(backend), { sessions: 0, revocations: 0, client_secrets: 0, outages: 0 })
    const { rows } = await sql<{
      left: number
    }>`SELECT count(*)::int AS left FROM client_secrets`.execute(db)
    t.strictSame(rows, [{ left: 2 }], 'a secret without an end stays')
  },
)

onEverySqlBackend(
  'pruning: what has ended says why for a week, and then goes',
  async (t, backend) => {
    const { db, now } = backend
    const userId = await seedOwner(backend)
    const recent = await seedFamily(backend, userId, { expiresIn: '30 days' })
    for (const [family, endedBefore] of [
      [recent, '6 days'],
      [await seedFamily(backend, userId, { expiresIn: '30 days' }), '8 days'],
    ] as const) {
      await sql`
        UPDATE refresh_families SET revoked_at = ${now()} - ${interval(endedBefore)}
        WHERE id = ${family}::uuid`.execute(db)
      await sql`
        INSERT INTO sessions (id, user_id, amr, auth_time, expires_at, ended_at)
        VALUES (${family}::uuid, ${userId}::uuid, '{pwd}', ${now()}, ${now()} + interval '30 days',
          ${now()} - ${interval(endedBefore)})`.execute(db)
    }
    t.match(await runAll(backend), { 'refresh_families (ended)': 1, 'sessions (ended)': 1 })
    t.strictSame(await familyIds(backend), [recent])
    t.strictSame(await db.selectFrom('sessions').select('id').execute(), [{ id: recent }])
  },
)

const deadRows = 3000

/** As many dead rows in every table that grows, and a live family. */
const seedDead = async (backend: SqlBackend): Promise<string> => {
  const { db } = backend
  const userId = await seedOwner(backend)
  for (const dead of [
    sql`INSERT INTO refresh_families (id, user_id, user_version, client_id, scope, audience,
        auth_time, amr, offline, expires_at, idle_timeout, generation, digest, last_used_at)
      SELECT gen_random_uuid(), ${userId}::uuid, 1, 'app', '{}', '{}', now(), '{}', true,
        now() + CASE WHEN n % 2 = 0 THEN interval '1 day' ELSE interval '-1 day' END,
        interval '1 hour', 1, '\\x00', now() - interval '2 hours'
      FROM generate_series(1, ${deadRows}::int) n`,
    sql`INSERT INTO sessions (id, user_id, amr, auth_time, expires_at, ended_at)
      SELECT gen_random_uuid(), ${userId}::uuid, '{}', now(),
        now() + CASE WHEN n % 2 = 0 THEN interval '1 day' ELSE interval '-1 day' END,
        now() - interval '8 days'
      FROM generate_series(1, ${deadRows}::int) n`,
    sql`INSERT INTO revocations (kind, value, expires_at)
      SELECT 'fam', n::text, now() - interval '1 second' FROM generate_series(1, ${deadRows}::int) n`,
    sql`INSERT INTO client_secrets (id, client_id, digest, expires_at)
      SELECT gen_random_uuid(), 'app', '\\x00', now() - interval '1 second'
      FROM generate_series(1, ${deadRows}::int) n`,
    sql`INSERT INTO outages (id, started_at, ended_at)
      SELECT gen_random_uuid(), now() - interval '3 days', now() - interval '2 days'
      FROM generate_series(1, ${deadRows}::int) n`,
  ]) {
    await dead.execute(db)
  }
  return seedFamily(backend, userId, { expiresIn: '1 day' })
}

test('pruning: four nodes at once prune every row once, without standing in each other’s way', async (t) => {
  const backend = await openPostgres(t)
  const live = await seedDead(backend)
  const counts: Record<string, number> = {}
  const nodes = [1, 2, 3, 4].map(() =>
    createHousekeeping({
      chores: createPruners(backend),
      intervalMs: 10,
      onDone: (name, count) => {
        const [table = ''] = name.split(' ')
        counts[table] = (counts[table] ?? 0) + count
      },
      onFailure: (name, error) => t.fail(`${name}: ${error}`),
    }),
  )
  t.teardown(() => Promise.all(nodes.map((node) => node.close())))
  await Promise.all(nodes.map((node) => node.start()))
  const tables = ['client_secrets', 'outages', 'refresh_families', 'revocations', 'sessions']
  await waitUntil('every row to be gone', () =>
    tables.every((table) => (counts[table] ?? 0) >= deadRows),
  )
  t.strictSame(counts, Object.fromEntries(tables.map((table) => [table, deadRows])))
  t.strictSame(await familyIds(backend), [live])
})

test('pruning: a row that another transaction holds is left for the next time, the others go', async (t) => {
  const backend = await openPostgres(t)
  const { db } = backend
  await seedDead(backend)
  const chore = createPruners(backend).find(({ name }) => name === 'revocations')
  await db.transaction().execute(async (trx) => {
    await sql`SELECT FROM revocations WHERE value = '1' FOR UPDATE`.execute(trx)
    let pruned = 0
    for (let count = -1; count !== 0; pruned += count) count = (await chore?.run()) ?? 0
    t.equal(pruned, deadRows - 1)
  })
  t.equal(await chore?.run(), 1)
})
