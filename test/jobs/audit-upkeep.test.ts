import { sql } from 'kysely'
import { test } from 'tap'
import { connect, startService } from '../support/service.ts'

test('a service that starts has the audit log of the months ahead, and none that is too old', async (t) => {
  const { databaseUrl } = await startService(t)
  const db = await connect(t, { databaseUrl })
  const partitions = async (): Promise<string[]> => {
    const { rows } = await sql<{ name: string }>`
      SELECT inhrelid::regclass::text AS name FROM pg_inherits
      WHERE inhparent = 'audit_events'::regclass ORDER BY 1`.execute(db)
    return rows.map(({ name }) => name)
  }
  const { rows: ahead } = await sql<{ name: string }>`
    SELECT 'audit_events_' || to_char(now() AT TIME ZONE 'UTC' + ahead * interval '1 month',
      'YYYY_MM') AS name FROM generate_series(1, 3) AS ahead`.execute(db)
  const months = ahead.map(({ name }) => name)
  const made = await partitions()
  t.strictSame(made.slice(-4), [...months, 'audit_events_default'])

  await sql`DROP TABLE ${sql.table(months.at(-1) ?? '')}`.execute(db)
  await sql`
    CREATE TABLE audit_events_2001_01 PARTITION OF audit_events
    FOR VALUES FROM ('2001-01-01T00:00:00Z') TO ('2001-02-01T00:00:00Z')`.execute(db)
  await startService(t, { DATABASE_URL: databaseUrl })
  t.strictSame(await partitions(), made)
})
