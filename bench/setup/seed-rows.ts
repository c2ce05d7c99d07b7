import { type Kysely, sql } from 'kysely'
import type { Database } from '../../src/stores/postgres/schema.ts'
import type { NewFamily } from '../../src/tokens/new-family.ts'

/** A family with a user and a session of its own. */
export type SeedRow = {
  readonly email: string
  readonly family: NewFamily
  readonly refreshToken: string
}

/** Inserts rows that are alike but for ids and digests. */
export const insertSeedRows = async (
  db: Kysely<Database>,
  passwordHash: string,
  rows: readonly SeedRow[],
): Promise<void> => {
  const [model] = rows.map(({ family }) => family)
  if (model === undefined) return
  await sql`
    WITH seed AS (
      SELECT * FROM unnest(
        ${rows.map(({ email }) => email)}::text[],
        ${rows.map(({ family }) => family.id)}::uuid[],
        ${rows.map(({ family }) => family.digest)}::bytea[]) AS t (email, family_id, digest)),
    new_users AS (
      INSERT INTO users (id, email, email_key, password_hash, roles)
      SELECT gen_random_uuid(), email, email, ${passwordHash}, '{user}' FROM seed
      RETURNING id, email),
    new_sessions AS (
      INSERT INTO sessions (id, user_id, amr, auth_time, expires_at)
      SELECT gen_random_uuid(), id, ${[...model.amr]}::text[], now(),
        now() + make_interval(secs => ${model.ttlSeconds}::float8)
      FROM new_users RETURNING id, user_id)
    INSERT INTO refresh_families (id, session_id, user_id, user_version, client_id, scope, audience,
      auth_time, amr, expires_at, idle_timeout, generation, digest, last_used_at)
    SELECT seed.family_id, s.id, u.id, 1, ${model.clientId}, ${[...model.scope]}::text[],
      ${[...model.audience]}::text[], now(), ${[...model.amr]}::text[],
      now() + make_interval(secs => ${model.ttlSeconds}::float8),
      make_interval(secs => ${model.idleSeconds}::float8), 1, seed.digest, now()
    FROM seed JOIN new_users u USING (email) JOIN new_sessions s ON s.user_id = u.id`.execute(db)
}

/** Leaves nothing for autovacuum to do in the middle of a measurement. */
export const vacuum = async (db: Kysely<Database>): Promise<void> => {
  await sql`VACUUM ANALYZE`.execute(db)
}
