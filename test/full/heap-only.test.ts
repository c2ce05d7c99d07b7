import { sql } from 'kysely'
import t, { test } from 'tap'
import { createTestDatabase } from '../support/database.ts'
import { refresh, tokenOf } from '../support/nodes.ts'
import { startPostgresServer } from '../support/postgres-server.ts'
import { connect, register, startService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const familyCount = 60
const rounds = 50
const refreshes = familyCount * rounds
// As durable as PostgreSQL is by default; the library counts statements and changes nothing else.
const postgres = await startPostgresServer(t, {
  settings: { shared_preload_libraries: 'pg_stat_statements' },
})
const { url: databaseUrl } = await createTestDatabase(t, postgres.url)
const service = await startService(t, { DATABASE_URL: databaseUrl })
const db = await connect(t, { databaseUrl })
for (const extension of ['pg_stat_statements', 'pg_walinspect']) {
  await sql`CREATE EXTENSION ${sql.ref(extension)}`.execute(db)
}

type Sizes = {
  families: number
  users: number
  sessions: number
  audit_events: number
  pages: number
  inserted: number
  updated: number
  heap_only: number
}

const readSizes = async (): Promise<Sizes> => {
  const { rows } = await sql<Sizes>`
    SELECT (SELECT count(*) FROM refresh_families)::int AS families,
      (SELECT count(*) FROM users)::int AS users,
      (SELECT count(*) FROM sessions)::int AS sessions,
      (SELECT count(*) FROM audit_events)::int AS audit_events,
      (pg_relation_size('refresh_families') / 8192)::int AS pages,
      n_tup_ins::int AS inserted, n_tup_upd::int AS updated, n_tup_hot_upd::int AS heap_only
    FROM pg_stat_user_tables WHERE relname = 'refresh_families'`.execute(db)
  const [sizes] = rows
  if (sizes === undefined) throw new Error('PostgreSQL knows nothing of the table')
  return sizes
}

/** A connection that falls idle reports what it has done only after ten seconds. */
const settled = (isComplete: (sizes: Sizes) => boolean): Promise<Sizes> =>
  waitUntil(
    'the counters',
    async () => {
      const sizes = await readSizes()
      return isComplete(sizes) && sizes
    },
    { timeoutMs: 30_000, intervalMs: 200 },
  )

const walPosition = async (): Promise<string> => {
  const { rows } = await sql<{ at: string }>`
    SELECT pg_current_wal_insert_lsn()::text AS at`.execute(db)
  return rows[0]?.at ?? ''
}

/** Bytes of all records between two positions, whoever wrote them; images of pages apart. */
const readWal = async (from: string, to: string) => {
  const { rows } = await sql<{ records: number; images: number }>`
    SELECT sum(record_size)::int AS records, sum(fpi_size)::int AS images
    FROM pg_get_wal_stats(${from}::pg_lsn, ${to}::pg_lsn)`.execute(db)
  return rows[0] ?? { records: Number.NaN, images: Number.NaN }
}

/** Statements that ran often: what a refresh does, as against what the node does by itself. */
const readFrequentStatements = async () => {
  const { rows } = await sql<{ query: string; calls: number }>`
    SELECT s.query, s.calls::int AS calls
    FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
    WHERE d.datname = current_database() AND s.calls > ${refreshes / 10}`.execute(db)
  return rows.map(({ query, calls }) => ({ query: query.trim().replace(/\s+/g, ' '), calls }))
}

test('a refresh is one statement, one heap-only update and little WAL, and nothing grows', async (t) => {
  const people = await Promise.all(Array.from({ length: familyCount }, () => register(service.app)))
  const inserted = await settled(({ inserted }) => inserted >= familyCount)
  await sql`CHECKPOINT`.execute(db)
  await sql`SELECT pg_stat_statements_reset()`.execute(db)
  const from = await walPosition()

  const goOn = async (first: string): Promise<void> => {
    let token = first
    for (let round = 0; round < rounds; round += 1) token = tokenOf(await refresh(service, token))
  }
  await Promise.all(people.map((person) => goOn(person.refresh_token)))

  const wal = await readWal(from, await walPosition())
  const perRefresh = Math.round(wal.records / refreshes)
  t.ok(perRefresh <= 400, `${perRefresh} bytes of WAL each, images of pages apart`)
  t.comment(`images of pages: ${Math.round(wal.images / refreshes)} bytes each, after a checkpoint`)

  const [statement, ...others] = await readFrequentStatements()
  t.match(statement, { query: /^UPDATE refresh_families f SET generation =/, calls: refreshes })
  t.strictSame(others, [], 'one statement each')

  const after = await settled(({ updated }) => updated - inserted.updated >= refreshes)
  t.equal(after.updated - inserted.updated, refreshes, 'one update each')
  const share = (after.heap_only - inserted.heap_only) / refreshes
  t.ok(share >= 0.95, `${(share * 100).toFixed(2)} % are heap-only`)
  const rowsOf = ({ families, users, sessions, audit_events: events }: Sizes) => ({
    ...{ families, users, sessions, events },
  })
  t.strictSame(rowsOf(after), rowsOf(inserted), 'no row more anywhere')
  t.comment(`pages: ${inserted.pages} before, ${after.pages} after`)
  t.ok(after.pages <= 4 * inserted.pages, `${inserted.pages} pages became ${after.pages}`)
})
