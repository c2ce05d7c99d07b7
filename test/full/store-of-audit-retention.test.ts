import { sql } from 'kysely'
import { test } from 'tap'
import { insertAuditEvents } from '../../src/stores/postgres/audit.ts'
import { createAuditPartitions } from '../../src/stores/postgres/audit-partitions.ts'
import { createAuditRetention } from '../../src/stores/postgres/audit-retention.ts'
import { onEverySqlBackend, openPostgres, type SqlBackend } from '../support/sql-backends.ts'

const day = 86_400
const retentionDays = 90

const tables = async ({ db }: SqlBackend): Promise<string[]> => {
  const { rows } = await sql<{ name: string }>`
    SELECT relname AS name FROM pg_class
    WHERE relkind = 'r' AND relname LIKE 'audit_events_%' ORDER BY 1`.execute(db)
  return rows.map(({ name }) => name)
}

const write = ({ db, now }: SqlBackend, subject: string) =>
  insertAuditEvents(db, now, [{ type: 'sign_in.failed', outcome: 'failure', subject, origin: {} }])

const subjects = async ({ db }: SqlBackend) =>
  (await db.selectFrom('audit_events').select('subject').orderBy('subject').execute()).map(
    ({ subject }) => subject,
  )

const finish = async (run: () => Promise<number>): Promise<number> => {
  const count = await run()
  return count === 0 ? 0 : count + (await finish(run))
}

onEverySqlBackend(
  'audit retention: a month goes as a whole once its last moment is old enough, table and all',
  async (t, backend) => {
    const { run } = createAuditRetention(backend, retentionDays)
    await createAuditPartitions(backend).run()
    await write(backend, 'old')
    const [oldest, ...others] = await tables(backend)
    backend.moveTime(retentionDays * day)
    t.equal(await run(), 0, 'the month is not over for so long')
    await createAuditPartitions(backend).run()
    await write(backend, 'young')
    backend.moveTime(31 * day)
    t.equal(await finish(run), 1)
    const left = await tables(backend)
    t.notOk(left.includes(oldest ?? ''))
    t.ok(others.every((name) => left.includes(name)))
    t.strictSame(await subjects(backend), ['young'])
  },
)

onEverySqlBackend(
  'audit retention: what lies in the default partition goes by itself when it is old enough',
  async (t, backend) => {
    const { run } = createAuditRetention(backend, retentionDays)
    await write(backend, 'old')
    backend.moveTime(day)
    await write(backend, 'young')
    backend.moveTime((retentionDays - 1) * day - 60)
    t.equal(await run(), 0)
    backend.moveTime(120)
    t.equal(await finish(run), 1)
    t.strictSame(await subjects(backend), ['young'])
  },
)

test('audit retention: whoever reads for long is let read, and writers wait for a moment only', async (t) => {
  const backend = await openPostgres(t)
  const { run } = createAuditRetention(backend, retentionDays)
  await createAuditPartitions(backend).run()
  await write(backend, 'old')
  backend.moveTime(200 * day)
  await backend.db.transaction().execute(async (reader) => {
    await sql`SELECT count(*) FROM audit_events`.execute(reader)
    const started = performance.now()
    const [refused] = await Promise.allSettled([run(), write(backend, 'meanwhile')])
    t.match(refused, { status: 'rejected', reason: { name: 'Unavailable' } })
    t.ok(performance.now() - started < 3000)
  })
  t.ok((await finish(run)) > 0, 'later it is done')
  t.strictSame(await subjects(backend), ['meanwhile'])
})

test('audit retention: eight nodes at once drop each month once', async (t) => {
  const backend = await openPostgres(t)
  const { run } = createAuditRetention(backend, retentionDays)
  await createAuditPartitions(backend).run()
  backend.moveTime(400 * day)
  const counts = await Promise.all(Array.from({ length: 8 }, () => finish(run)))
  t.equal(
    counts.reduce((sum, count) => sum + count, 0),
    4,
  )
  t.strictSame(await tables(backend), ['audit_events_default'])
})
