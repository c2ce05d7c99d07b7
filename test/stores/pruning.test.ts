import { randomUUID } from 'node:crypto'
import { type RawBuilder, sql } from 'kysely'
import type { Chore } from '../../src/jobs/housekeeping.ts'
import { createPruners } from '../../src/stores/postgres/pruning.ts'
import { onEverySqlBackend, type SqlBackend } from '../support/sql-backends.ts'

type Ages = { readonly expiresIn: string; readonly usedBefore?: string }

const seedUser = async ({ db }: SqlBackend): Promise<string> => {
  const id = randomUUID()
  const email = `${id}@example.com`
  await db
    .insertInto('users')
    .values({ id, email, email_key: email, roles: ['user'] })
    .execute()
  await sql`
    INSERT INTO clients (id, name, authentication_method, grant_types, scope, audience,
      resource_server, redirect_uris)
    VALUES ('app', 'App', 'none', '{}', '{}', '{}', '{}', '{}')
    ON CONFLICT DO NOTHING`.execute(db)
  return id
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
    const userId = await seedUser(backend)
    const live = await seedFamily(backend, userId, { expiresIn: '1 day', usedBefore: '59 minutes' })
    await seedFamily(backend, userId, { expiresIn: '-1 second' })
    await seedFamily(backend, userId, { expiresIn: '1 day', usedBefore: '61 minutes' })
    t.match(await runAll(backend), { refresh_families: 1, 'refresh_families (idle)': 1 })
    t.strictSame(await familyIds(backend), [live])
    t.match(await runAll(backend), { refresh_families: 0, 'refresh_families (idle)': 0 })
  },
)

onEverySqlBackend(
  'pruning: the walk over idle families reaches each of them, batch after batch',
  async (t, backend) => {
    const userId = await seedUser(backend)
    await sql`
    INSERT INTO refresh_families (id, user_id, user_version, client_id, scope, audience, auth_time,
      amr, offline, expires_at, idle_timeout, generation, digest, last_used_at)
    SELECT gen_random_uuid(), ${userId}::uuid, 1, 'app', '{}', '{}', now(), '{}', true,
      now() + interval '1 day', interval '1 hour', 1, '\\x00',
      now() - CASE WHEN n % 2 = 0 THEN interval '2 hours' ELSE interval '0' END
    FROM generate_series(1, 5000) n`.execute(backend.db)
    const walk = createPruners(backend).find(({ name }) => name === 'refresh_families (idle)')
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
    const userId = await seedUser(backend)
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
