import { sql } from 'kysely'
import t from 'tap'
import { connect, startService } from '../support/service.ts'
import { travel } from './journey.ts'
import { record } from './transcript.ts'

// The next release's transcript is recorded on this journey: what it leaves out, nobody proves to
// work beside the release after it.
t.test('the journey goes all the way, and speaks of every table', async (t) => {
  const service = await startService(t, { DATABASE_POOL_SIZE: '1' }, { alertIntervalMs: 200 })
  const statements = await record(() => travel(service.app, service.deps))
  const text = statements.map((statement) => statement.text).join('\n')
  const db = await connect(t, service)
  const { rows } = await sql<{ name: string }>`
    SELECT tablename AS name FROM pg_tables
    WHERE schemaname = 'public' AND tablename !~ '^(audit_events_|kysely_|schema_releases)'`.execute(
    db,
  )
  // Outages are spoken of only after one, which the recording adds; releases by migrations alone.
  const tables = rows.map(({ name }) => name).filter((name) => name !== 'outages')
  t.ok(tables.length > 15)
  t.strictSame(
    tables.filter((name) => !new RegExp(`\\b${name}\\b`).test(text)),
    [],
  )
})
