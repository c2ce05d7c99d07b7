import { readdirSync, readFileSync } from 'node:fs'
import { sql } from 'kysely'
import pg from 'pg'
import t from 'tap'
import { openInMemory } from '../src/stores/postgres/embedded.ts'
import { migrateToLatest, undoLatest } from '../src/stores/postgres/migrator.ts'
import { migrateTo } from './releases/schema.ts'
import { readTranscript } from './releases/transcript.ts'
import {
  createEmptyDatabase,
  createTestDatabase,
  systemDatabaseUrl,
  testDatabaseUrl,
} from './support/database.ts'

const folder = new URL('../migrations/', import.meta.url)
const files = readdirSync(folder).sort()

t.test('names are a time, which no two share, and one concept', async (t) => {
  t.ok(files.length > 0)
  for (const file of files) t.match(file, /^20\d{6}T\d{4}_[a-z][a-z_]*\.ts$/)
  t.equal(new Set(files.map((file) => file.split('_')[0])).size, files.length)
})

for (const file of files) {
  t.test(`${file} has an up and a down, and nothing of the service that may change`, async (t) => {
    const migration: Record<string, unknown> = await import(new URL(file, folder).href)
    t.strictSame(
      Object.entries(migration).map(([name, member]) => `${name}: ${typeof member}`),
      ['down: function', 'up: function'],
    )
    const imported = readFileSync(new URL(file, folder), 'utf8').matchAll(/from '([^']+)'/g)
    t.strictSame(
      [...imported].map(([, module]) => module),
      ['kysely'],
    )
  })
}

// Everything that makes a difference to a statement, as text.
const catalogue = `
  SELECT kind, name, detail FROM (SELECT 'column' AS kind, table_name || '.' || column_name AS name,
    concat_ws(' ', data_type, is_nullable, column_default) AS detail
  FROM information_schema.columns WHERE table_schema = 'public'
  UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
  UNION ALL SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
  FROM pg_constraint
  WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
  UNION ALL SELECT 'trigger', tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid)
  FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT 'routine', proname, prosrc FROM pg_proc
  WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT 'sequence', sequencename, data_type::text FROM pg_sequences
  WHERE schemaname = 'public'
  UNION ALL SELECT 'setting', relname, array_to_string(reloptions, ' ') FROM pg_class
  WHERE relnamespace = 'public'::regnamespace AND reloptions IS NOT NULL
  ) AS everything ORDER BY kind COLLATE "C", name COLLATE "C", detail COLLATE "C"`

const onServer = async (url: string): Promise<unknown[]> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(catalogue)).rows
  } finally {
    await client.end()
  }
}

t.test('the schema is the same in the embedded mode and on servers, old and new', async (t) => {
  const { db, close } = await openInMemory()
  t.teardown(close)
  await migrateToLatest(db)
  const embedded = (await sql.raw(catalogue).execute(db)).rows
  t.ok(embedded.length > 50)
  for (const server of [testDatabaseUrl(), systemDatabaseUrl()]) {
    if (server === undefined) continue
    const { url } = await createTestDatabase(t, server)
    t.strictSame(
      (await onServer(url)).map((row) => ({ ...(row as object) })),
      embedded,
    )
  }
})

t.test('down to the release before and up again: each time exactly the same schema', async (t) => {
  const { migrations } = readTranscript(2)
  const { url } = await createEmptyDatabase(t)
  await migrateTo(url, Object.keys(migrations))
  const former = await onServer(url)
  const names = await migrateToLatest(url)
  const present = await onServer(url)
  for (const name of names.toReversed()) t.strictSame(await undoLatest(url), [name])
  t.strictSame(await onServer(url), former)
  await migrateToLatest(url)
  t.strictSame(await onServer(url), present)
})
