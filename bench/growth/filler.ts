import { query } from '../setup/cluster.ts'

const familiesPerUser = 10

/**
 * Adds families that nobody uses, then puts all rows in the order of their random ids, so that those
 * in use are spread among them.
 */
export const addFamilies = async (databaseUrl: string, families: number): Promise<void> => {
  const run = (statement: string, values: readonly unknown[] = []) =>
    query(databaseUrl, statement, values)
  await run(
    `INSERT INTO users (id, email, email_key, password_hash, roles)
     SELECT gen_random_uuid(), names.email, names.email, model.password_hash, model.roles
     FROM (SELECT * FROM users LIMIT 1) model,
       LATERAL (SELECT 'filler-' || n || '@bench.example'
                FROM generate_series(1, $1::int) n) names (email)`,
    [Math.ceil(families / familiesPerUser)],
  )
  await run(
    `INSERT INTO sessions (id, user_id, amr, auth_time, expires_at)
     SELECT gen_random_uuid(), u.id, model.amr, now(), model.expires_at
     FROM users u, (SELECT * FROM sessions LIMIT 1) model WHERE u.email_key LIKE 'filler-%'`,
  )
  await run(
    `INSERT INTO refresh_families (id, session_id, user_id, user_version, client_id, scope,
       audience, auth_time, amr, expires_at, idle_timeout, generation, digest, last_used_at)
     SELECT gen_random_uuid(), s.id, s.user_id, 1, model.client_id, model.scope,
       model.audience, now(), model.amr, model.expires_at, model.idle_timeout, 1,
       sha256((s.id::text || n)::bytea), now()
     FROM sessions s JOIN users u ON u.id = s.user_id AND u.email_key LIKE 'filler-%',
       generate_series(1, ${familiesPerUser}) n, (SELECT * FROM refresh_families LIMIT 1) model`,
  )
  for (const table of ['users', 'sessions', 'refresh_families']) {
    await run(`CLUSTER ${table} USING ${table}_pkey`)
  }
  await run('VACUUM ANALYZE')
  await run('CHECKPOINT')
}
