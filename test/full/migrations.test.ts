import pg from 'pg'
import { type Test, test } from 'tap'
import { migrateToLatest, schemaStatus } from '../../src/stores/postgres/migrator.ts'
import { openPool } from '../../src/stores/postgres/pool.ts'
import { SchemaError } from '../../src/stores/postgres/schema-state.ts'
import { connectAsService, replay } from '../releases/replay.ts'
import { migrateTo } from '../releases/schema.ts'
import { readTranscript, releaseBefore, type Statement } from '../releases/transcript.ts'
import { createEmptyDatabase } from '../support/database.ts'
import { poolOptions } from '../support/sql-backends.ts'
import { waitUntil } from '../support/wait-until.ts'

// Nodes of the release before, as their database sees them: their statements, on connections with
// their time limits, while the schema changes beneath them.
const families = 50_000
const connections = 4
const { migrations, statements } = readTranscript(releaseBefore)

/** What can be said again and again: it reads, updates, deletes, or records an event. */
const isRepeatable = ({ text }: Statement): boolean =>
  /^\s*(SELECT|UPDATE|DELETE|WITH stretch|insert into "audit_events")/i.test(text)

const repeatable = [
  ...new Map(
    statements.filter(isRepeatable).map((statement) => [statement.text, statement]),
  ).values(),
]

const isNoInsert = ({ text }: Statement): boolean => !text.startsWith('insert')

const onUrl = async (url: string, text: string): Promise<Record<string, string>[]> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query(text).finally(() => client.end())
  return rows
}

/** A database that the release before has made, filled with what it wrote and with many families. */
const createOldDatabase = async (t: Test): Promise<string> => {
  const { url } = await createEmptyDatabase(t)
  await migrateTo(url, Object.keys(migrations))
  await replay(url, statements)
  await onUrl(
    url,
    `INSERT INTO refresh_families (id, session_id, user_id, user_version, client_id, scope, audience,
       auth_time, amr, expires_at, idle_timeout, generation, digest, last_used_at)
     SELECT gen_random_uuid(), f.session_id, f.user_id, f.user_version, f.client_id, f.scope,
       f.audience, now(), f.amr, f.expires_at, f.idle_timeout, 1, sha256(n::text::bytea), now()
     FROM (SELECT * FROM refresh_families LIMIT 1) f, generate_series(1, ${families}) n`,
  )
  return url
}

type Load = { readonly failures: readonly unknown[]; count: number; slowestMs: number }

/** Says the statements as a node does, on several connections at once, until it is stopped. */
const startLoad = async (t: Test, url: string) => {
  const pool = await openPool(url, { ...poolOptions, size: connections }, () => {})
  const load: Load & { failures: unknown[] } = { failures: [], count: 0, slowestMs: 0 }
  let stopped = false
  const goOn = async (said: readonly Statement[], first: number): Promise<void> => {
    const client = await pool.connect()
    for (let step = first; !stopped; step += 1) {
      const { text, values } = said[step % said.length] ?? { text: '', values: [] }
      const begun = performance.now()
      await client.query(text, [...values]).catch((error: unknown) => {
        load.failures.push([text, error])
      })
      load.count += 1
      load.slowestMs = Math.max(load.slowestMs, performance.now() - begun)
    }
    client.release()
  }
  const share = Math.floor(repeatable.length / connections)
  const running = Promise.all(
    Array.from({ length: connections }, (_, index) =>
      // Only one records events: two at the same moment would give two of them one id.
      goOn(index === 0 ? repeatable : repeatable.filter(isNoInsert), index * share),
    ),
  )
  const stop = async (): Promise<Load> => {
    stopped = true
    await running
    return load
  }
  t.teardown(async () => {
    await stop()
    await pool.end()
  })
  return {
    stop,
    /** Resolves when so many statements more have been answered. */
    more: (count: number) => {
      const wanted = load.count + count
      return waitUntil('the load', () => load.count >= wanted, { timeoutMs: 30_000 })
    },
  }
}

const expectNoFailure = (t: Test, { failures, count, slowestMs }: Load): void => {
  t.strictSame(failures, [], `${count} statements, the slowest ${slowestMs.toFixed(0)} ms`)
}

test('two nodes migrate at once under the load of the release before: none of its statements fails', async (t) => {
  t.ok(repeatable.length > 30)
  const url = await createOldDatabase(t)
  const load = await startLoad(t, url)
  await load.more(1000)
  const applied = await Promise.all([migrateToLatest(url), migrateToLatest(url)])
  t.equal(applied.filter((names) => names.length > 0).length, 1, 'one of them did it')
  await load.more(1000)
  expectNoFailure(t, await load.stop())
  t.equal((await schemaStatus(url)).state, 'current')
})

test('a migration lets requests pass while a backup holds the tables, and is done after it', async (t) => {
  const url = await createOldDatabase(t)
  // What pg_dump takes: nobody else is kept out by it, but DDL.
  const backup = await connectAsService(url)
  t.teardown(() => backup.end())
  await backup.query('BEGIN')
  const tables = await onUrl(
    url,
    `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'`,
  )
  await backup.query(`LOCK TABLE ${tables.map(({ name }) => name).join(', ')} IN ACCESS SHARE MODE`)
  const load = await startLoad(t, url)
  const migrating = migrateToLatest(url)
  const attempts = new Set<string>()
  await waitUntil('the migration to come again and again', async () => {
    const rows = await onUrl(
      url,
      `SELECT xact_start::text AS begun FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'tessera-migrate'
         AND wait_event_type = 'Lock'`,
    )
    for (const { begun = '' } of rows) attempts.add(begun)
    return attempts.size >= 4
  })
  await load.more(1000)
  await backup.query('COMMIT')
  t.ok((await migrating).length > 0)
  expectNoFailure(t, await load.stop())
})

test('a migration that cannot have the tables gives up in time, says what to do, and changes nothing', async (t) => {
  const url = await createOldDatabase(t)
  const before = await schemaStatus(url)
  const holder = await connectAsService(url)
  t.teardown(() => holder.end())
  await holder.query('BEGIN')
  await holder.query('LOCK TABLE users, clients, sessions, refresh_families, signing_keys')
  await holder.query('LOCK TABLE schema_releases, audit_events')
  await t.rejects(
    migrateToLatest(url, 1000),
    new SchemaError(
      'The tables have been in use for 1 seconds: let long transactions end (see pg_stat_activity), then try again',
    ),
  )
  await holder.query('COMMIT')
  t.strictSame(await schemaStatus(url), before)
  t.strictSame(await migrateToLatest(url), before.pending)
})
