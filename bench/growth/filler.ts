import { query } from '../setup/cluster.ts'

const familiesPerUser = 10

/**
 * Adds families that nobody uses. All rows are written in the order of their random ids, so that
 * those in use are spread among them.
 */
export const addFamilies = async (databaseUrl: string, families: number): Promise<void> => {
  const run = <Row extends object>(statement: string, values: readonly unknown[] = []) =>
    query<Row>(databaseUrl, statement, values)
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
  for (const table of ['users', 'sessions']) await run(`CLUSTER ${table} USING ${table}_pkey`)
  await copyFamilies(run)
  await run('VACUUM ANALYZE')
  await run('CHECKPOINT')
}

type Run = <Row extends object>(
  statement: string,
  values?: readonly unknown[],
) => Promise<readonly Row[]>

/** What a family of the filler has of its own; the rest it has of one that is there. */
const own: Readonly<Record<string, string>> = {
  id: 'gen_random_uuid()',
  session_id: 's.id',
  user_id: 's.user_id',
  digest: 'sha256((s.id::text || n)::bytea)',
  last_used_at: 'now()',
}

/** With COPY, and the indexes made at the end: the only way to many millions in a few minutes. */
const copyFamilies = async (run: Run): Promise<void> => {
  const columns = await run<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute
     WHERE attrelid = 'refresh_families'::regclass AND attnum > 0 AND NOT attisdropped
     ORDER BY attnum`,
  )
  const [place] = await run<{ folder: string }>(
    `SELECT current_setting('data_directory') AS folder`,
  )
  const file = `'${place?.folder}/growth-filler'`
  await run(
    `COPY (
       SELECT ${columns.map(({ name }) => name).join(', ')} FROM refresh_families
       UNION ALL
       SELECT ${columns.map(({ name }) => own[name] ?? `model.${name}`).join(', ')}
       FROM sessions s JOIN users u ON u.id = s.user_id AND u.email_key LIKE 'filler-%',
         generate_series(1, ${familiesPerUser}) n, (SELECT * FROM refresh_families LIMIT 1) model
       ORDER BY 1
     ) TO ${file} (FORMAT binary)`,
  )
  const indexes = await run<{ name: string; definition: string }>(
    `SELECT indexname AS name, indexdef AS definition FROM pg_indexes
     WHERE tablename = 'refresh_families' AND indexname <> 'refresh_families_pkey'`,
  )
  for (const { name } of indexes) await run(`DROP INDEX ${name}`)
  await run('TRUNCATE refresh_families')
  await run(`COPY refresh_families FROM ${file} (FORMAT binary)`)
  for (const { definition } of indexes) await run(definition)
}
