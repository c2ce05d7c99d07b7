import { sql } from 'kysely'
import { test } from 'tap'
import { insertAuditEvents } from '../../src/stores/postgres/audit.ts'
import { createAuditPartitions } from '../../src/stores/postgres/audit-partitions.ts'
import { onEverySqlBackend, openPostgres, type SqlBackend } from '../support/sql-backends.ts'

const partitions = async ({ db }: SqlBackend): Promise<string[]> => {
  const { rows } = await sql<{ name: string }>`
    SELECT inhrelid::regclass::text AS name FROM pg_inherits
    WHERE inhparent = 'audit_events'::regclass ORDER BY 1`.execute(db)
  return rows.map(({ name }) => name)
}

/** Names of the partitions of this month and the next three, by the database's time. */
const expectedMonths = async ({ db, now }: SqlBackend): Promise<string[]> => {
  const { rows } = await sql<{ at: Date }>`SELECT ${now()} AS at`.execute(db)
  const at = rows[0]?.at ?? new Date(0)
  return [0, 1, 2, 3].map((ahead) => {
    const month = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + ahead))
    return `audit_events_${month.toISOString().slice(0, 7).replace('-', '_')}`
  })
}

const event = { type: 'sign_in.failed', outcome: 'failure', origin: {} } as const

onEverySqlBackend(
  'audit: there are partitions for this month and the next three, made once',
  async (t, backend) => {
    const { run } = createAuditPartitions(backend)
    t.equal(await run(), 4)
    t.equal(await run(), 0)
    const expected = [...(await expectedMonths(backend)), 'audit_events_default']
    t.strictSame(await partitions(backend), expected)
  },
)

onEverySqlBackend(
  'audit: an event lies in the partition of its month, later ones in the default',
  async (t, backend) => {
    await createAuditPartitions(backend).run()
    const [month] = await expectedMonths(backend)
    await insertAuditEvents(backend.db, backend.now, [event])
    backend.moveTime(200 * 86_400)
    await insertAuditEvents(backend.db, backend.now, [event])
    const { rows } = await sql<{ partition: string }>`
    SELECT tableoid::regclass::text AS partition FROM audit_events ORDER BY occurred_at`.execute(
      backend.db,
    )
    t.strictSame(rows, [{ partition: month }, { partition: 'audit_events_default' }])
  },
)

onEverySqlBackend(
  'audit: a month whose events lie in the default partition stays there, the others are made',
  async (t, backend) => {
    const [month = '', ...later] = await expectedMonths(backend)
    await insertAuditEvents(backend.db, backend.now, [event])
    await createAuditPartitions(backend).run()
    t.strictSame(await partitions(backend), [...later, 'audit_events_default'])
    t.notOk((await partitions(backend)).includes(month))
  },
)

test('audit: eight nodes that start at once make each partition once', async (t) => {
  const backend = await openPostgres(t)
  await Promise.all(Array.from({ length: 8 }, () => createAuditPartitions(backend).run()))
  t.equal((await partitions(backend)).length, 5)
})
