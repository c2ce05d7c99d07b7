import { type Kysely, sql } from 'kysely'
import pg from 'pg'
import t, { type Test } from 'tap'
import { Unavailable } from '../../src/oauth/unavailable.ts'
import { openInMemory } from '../../src/stores/postgres/embedded.ts'
import type { MigrationTarget } from '../../src/stores/postgres/migration-session.ts'
import {
  ensureSchema,
  migrateToLatest,
  schemaStatus,
  undoLatest,
} from '../../src/stores/postgres/migrator.ts'
import type { Database } from '../../src/stores/postgres/schema.ts'
import { SchemaError, schemaRelease } from '../../src/stores/postgres/schema-state.ts'
import {
  createEmptyDatabase,
  createTestDatabase,
  serverTitle,
  systemDatabaseUrl,
  testDatabaseUrl,
} from '../support/database.ts'
import { freePort } from '../support/free-port.ts'

type Row = Record<string, unknown>
type Query = (text: string) => Promise<Row[]>

const onUrl =
  (url: string): Query =>
  async (text) => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      return (await client.query<Row>(text)).rows
    } finally {
      await client.end()
    }
  }

const onDatabase =
  (db: Kysely<Database>): Query =>
  async (text) =>
    (await sql.raw<Row>(text).execute(db)).rows

const undoAll = async (target: MigrationTarget): Promise<string[]> => {
  const undone: string[] = []
  for (;;) {
    const names = await undoLatest(target)
    if (names.length === 0) return undone
    undone.push(...names)
  }
}

const tables = `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
  AND relkind IN ('r', 'p', 'i', 'I') ORDER BY relname`

const upDownUp = async (t: Test, target: MigrationTarget, query: Query): Promise<void> => {
  const { pending, ...before } = await schemaStatus(target)
  t.strictSame(before, { state: 'behind', applied: [] })
  t.strictSame(await migrateToLatest(target), pending, 'all are applied, in their order')
  t.strictSame(await schemaStatus(target), { state: 'current', applied: pending, pending: [] })
  const whole = await query(tables)
  t.strictSame(await migrateToLatest(target), [], 'a second time nothing is left to do')

  t.strictSame(await undoAll(target), pending.toReversed(), 'all are undone, the latest first')
  const left = (await query(tables)).map(({ relname }) => relname)
  t.strictSame(
    left.filter((name) => !String(name).startsWith('kysely_migration')),
    [],
    'no table is left but the record of the migrations',
  )

  t.strictSame(await migrateToLatest(target), pending)
  t.strictSame(await query(tables), whole, 'the same tables and indexes as the first time')
}

const servers = [
  ['main', testDatabaseUrl()],
  ['system', systemDatabaseUrl()],
] as const
for (const [which, server] of servers) {
  if (server === undefined) continue
  t.test(
    `${serverTitle(which)}, the ${which} one: migrations go up, all the way down, and up again`,
    async (t) => {
      const { url } = await createEmptyDatabase(t, server)
      await upDownUp(t, url, onUrl(url))
    },
  )
}

t.test('PGlite: migrations go up, all the way down, and up again', async (t) => {
  const { db, close } = await openInMemory()
  t.teardown(close)
  await upDownUp(t, db, onDatabase(db))
})

t.test('of many nodes that start at once exactly one migrates, all go on', async (t) => {
  const { url } = await createEmptyDatabase(t)
  const { pending } = await schemaStatus(url)
  const applied = await Promise.all(Array.from({ length: 4 }, () => migrateToLatest(url)))
  t.strictSame(
    applied.toSorted((a, b) => b.length - a.length),
    [pending, [], [], []],
  )
  await Promise.all(Array.from({ length: 4 }, () => ensureSchema(url, true)))
  t.equal((await schemaStatus(url)).state, 'current')
})

t.test('the code and the migrations name the same release of the schema', async (t) => {
  const { url } = await createTestDatabase(t)
  t.strictSame(await onUrl(url)('SELECT max(release) AS release FROM schema_releases'), [
    { release: schemaRelease },
  ])
})

const applyFuture = async (url: string, releases: number): Promise<void> => {
  for (let ahead = 1; ahead <= releases; ahead += 1) {
    await onUrl(url)(`INSERT INTO schema_releases VALUES (${schemaRelease + ahead});
      INSERT INTO kysely_migration VALUES ('20990101T000${ahead}_future', now()::text)`)
  }
}

t.test('a schema one release newer is worked with and left alone', async (t) => {
  const { url } = await createTestDatabase(t)
  await applyFuture(url, 1)
  const before = await schemaStatus(url)
  t.strictSame(
    { ...before, applied: before.applied.at(-1) },
    {
      state: 'newer',
      applied: '20990101T0001_future',
      pending: [],
    },
  )
  await ensureSchema(url, true)
  await ensureSchema(url, false)
  t.strictSame(await migrateToLatest(url), [])
  t.strictSame(await schemaStatus(url), before)
  await t.rejects(
    undoLatest(url),
    new SchemaError(
      'The schema of the database is newer than this version of Tessera: undo it with the version that made it',
    ),
    'old code cannot undo what it does not know',
  )
})

t.test('a schema more than one release newer is refused', async (t) => {
  const { url } = await createTestDatabase(t)
  await applyFuture(url, 2)
  const refusal = new SchemaError(
    'The schema of the database is more than one release newer than this version of Tessera: start a newer version',
  )
  await t.rejects(ensureSchema(url, true), refusal)
  await t.rejects(ensureSchema(url, false), refusal)
  await t.rejects(migrateToLatest(url), refusal)
})

t.test('a schema that is behind is refused when it may not be migrated', async (t) => {
  const { url } = await createEmptyDatabase(t)
  await t.rejects(
    ensureSchema(url, false),
    new SchemaError(
      'The schema of the database is older than this version of Tessera: run `tessera migrate`, or start with MIGRATE_ON_START=true',
    ),
  )
  t.strictSame((await schemaStatus(url)).applied, [], 'nothing was applied')
  await ensureSchema(url, true)
  t.equal((await schemaStatus(url)).state, 'current')
})

t.test('a migration that fails leaves nothing behind, not even those before it', async (t) => {
  const { url } = await createEmptyDatabase(t)
  const { pending } = await schemaStatus(url)
  await onUrl(url)('CREATE TABLE outages (mine text)')
  await t.rejects(
    migrateToLatest(url),
    new SchemaError(
      'The migration 20261120T0500_outages failed: relation "outages" already exists',
    ),
  )
  t.strictSame(await schemaStatus(url), { state: 'behind', applied: [], pending })
  t.strictSame(
    (await onUrl(url)(tables)).map(({ relname }) => relname),
    ['outages'],
    'what was there before is there still',
  )
})

t.test('two schemas of one database are migrated apart from each other', async (t) => {
  const { url } = await createEmptyDatabase(t)
  await onUrl(url)('CREATE SCHEMA one; CREATE SCHEMA two')
  const inSchema = (name: string) => `${url}?options=-c%20search_path%3D${name}`
  const { pending } = await schemaStatus(inSchema('one'))
  t.strictSame(await migrateToLatest(inSchema('one')), pending)
  t.strictSame(await migrateToLatest(inSchema('two')), pending)
  t.equal((await schemaStatus(inSchema('one'))).state, 'current')
  t.equal((await schemaStatus(inSchema('two'))).state, 'current')
  t.strictSame(await onUrl(url)(tables), [], 'the default schema stays empty')
})

t.test('migrating takes as long as it takes, whatever limits the role has', async (t) => {
  const { url } = await createEmptyDatabase(t)
  const name = new URL(url).pathname.slice(1)
  await onUrl(url)(`ALTER DATABASE "${name}" SET lock_timeout = '1ms'`)
  const applied = await Promise.all([migrateToLatest(url), migrateToLatest(url)])
  t.equal(applied.flat().length, (await schemaStatus(url)).applied.length)
})

t.test('a server that does not answer is Unavailable', async (t) => {
  const port = await freePort()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  await t.rejects(migrateToLatest(url), Unavailable)
  await t.rejects(ensureSchema(url, true), Unavailable)
})
