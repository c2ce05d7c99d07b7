import type { Kysely } from 'kysely'
import { test } from 'tap'
import type { RecordedEvent } from '../../src/audit/event.ts'
import { createAuditWriter } from '../../src/audit/writer.ts'
import { Unavailable } from '../../src/oauth/unavailable.ts'
import { createAuditStore } from '../../src/stores/postgres/audit.ts'
import { connectPostgres, createConnection } from '../../src/stores/postgres/database.ts'
import type { Database } from '../../src/stores/postgres/schema.ts'
import { createTestDatabase } from '../support/database.ts'
import { startProxy } from '../support/proxy.ts'
import { openPostgres, poolOptions } from '../support/sql-backends.ts'
import { waitUntil } from '../support/wait-until.ts'

const event = (subject: string): RecordedEvent => ({
  type: 'sign_in.failed',
  outcome: 'failure',
  subject,
  origin: { requestId: 'r1', address: '203.0.113.7', userAgent: 'test' },
})

/** A writer on a real table, whose store can be made to fail. */
const openWriter = async (t: Parameters<typeof openPostgres>[0], capacity?: number) => {
  const backend = await openPostgres(t)
  const store = createAuditStore(backend)
  const failures: unknown[] = []
  const state: { failure: Error | undefined; batches: number[]; time: Date } = {
    failure: undefined,
    batches: [],
    time: new Date(),
  }
  const writer = createAuditWriter({
    store: {
      async append(events) {
        if (state.failure !== undefined) throw state.failure
        state.batches.push(events.length)
        await store.append(events)
      },
    },
    clock: () => state.time,
    onFailure: (error) => void failures.push(error),
    flushMs: 5,
    ...(capacity === undefined ? {} : { capacity }),
  })
  const subjects = async (): Promise<(string | null)[]> =>
    (
      await backend.db.selectFrom('audit_events').select('subject').orderBy('subject').execute()
    ).map(({ subject }) => subject)
  return { writer, failures, state, subjects, backend }
}

test('audit writer: what is recorded is written in batches, whole', async (t) => {
  const { writer, state, backend } = await openWriter(t)
  for (let index = 0; index < 250; index += 1) writer.record(event(`user ${index}`))
  const rows = await waitUntil('all events', async () => {
    const found = await backend.db.selectFrom('audit_events').selectAll().execute()
    return found.length === 250 ? found : undefined
  })
  t.strictSame(state.batches, [100, 100, 50])
  t.match(rows[0], {
    type: 'sign_in.failed',
    severity: 'notice',
    outcome: 'failure',
    request_id: 'r1',
    address: '203.0.113.7',
    user_agent: 'test',
    details: {},
  })
  await writer.close()
})

test('audit writer: closing writes out what waits', async (t) => {
  const { writer, subjects } = await openWriter(t)
  writer.record(event('last'))
  await writer.close()
  t.strictSame(await subjects(), ['last'])
})

test('audit writer: closing while the database is away tries once, and no more', async (t) => {
  const failures: unknown[] = []
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const gate = Promise.withResolvers<void>()
  let attempts = 0
  const writer = createAuditWriter({
    store: {
      async append() {
        attempts += 1
        await gate.promise
        throw new Unavailable('the database does not answer')
      },
    },
    clock: () => new Date(),
    onFailure: (error) => void failures.push(error),
    flushMs: 1,
  })
  const before = timers()
  writer.record(event('late'))
  await waitUntil('an attempt that hangs', () => attempts === 1)
  const closed = writer.close()
  gate.resolve()
  await closed
  t.equal(attempts, 2, 'the one under way, and the last one')
  t.equal(failures.length, 2)
  t.equal(timers(), before, 'no other one is planned')
})

test('audit writer: while the database is away events wait, then they are written', async (t) => {
  const { writer, failures, state, subjects, backend } = await openWriter(t)
  state.failure = new Unavailable('the database does not answer')
  const at = new Date('2026-02-03T04:05:06.007Z')
  state.time = at
  writer.record(event('patient'))
  await waitUntil('a first attempt', () => failures.length > 0)
  t.strictSame(await subjects(), [])
  state.failure = undefined
  state.time = new Date(at.getTime() + 3_600_000)
  await waitUntil('the event', async () => (await subjects()).length === 1)
  const row = await backend.db.selectFrom('audit_events').select('occurred_at').executeTakeFirst()
  t.strictSame(row, { occurred_at: at }, 'with the time at which it happened')
  t.equal(writer.dropped(), 0)
  await writer.close()
})

test('audit writer: what is written although the reply is lost is not written again', async (t) => {
  const { url } = await createTestDatabase(t)
  const proxy = await startProxy(t, url)
  const [lossy, db] = await Promise.all(
    [proxy.url, url].map((one) => connectPostgres(one, poolOptions, () => {})),
  )
  t.teardown(() => Promise.all([lossy?.destroy(), db?.destroy()]))
  const failures: unknown[] = []
  const writer = createAuditWriter({
    store: createAuditStore(createConnection(lossy as Kysely<Database>)),
    clock: () => new Date(),
    onFailure: (error) => void failures.push(error),
    flushMs: 1,
  })
  let lost = 0
  proxy.loseReply((reply) => {
    lost += reply.includes('INSERT 0 2') ? 1 : 0
    return lost > 0
  })
  for (const subject of ['first', 'second']) writer.record(event(subject))
  await waitUntil('all to be written', () => writer.waiting() === 0)
  t.equal(lost, 1, 'they were written and nobody heard of it')
  t.ok(failures.length > 0 && failures.every((error) => error instanceof Unavailable))
  const rows = await db?.selectFrom('audit_events').select('subject').orderBy('subject').execute()
  t.strictSame(rows, [{ subject: 'first' }, { subject: 'second' }])
  t.equal(writer.dropped(), 0)
  await writer.close()
})

test('audit writer: what must be told of at once stands in the log, or the caller hears', async (t) => {
  const { writer, state, subjects } = await openWriter(t)
  await writer.write(event('told'))
  t.strictSame(await subjects(), ['told'])
  state.failure = new Unavailable('the database does not answer')
  await t.rejects(writer.write(event('untold')), state.failure)
  t.equal(writer.waiting(), 0)
  await writer.close()
})

test('audit writer: a batch that the database refuses does not hold up the others', async (t) => {
  const { writer, failures, state, subjects } = await openWriter(t)
  state.failure = new Error('refused for ever')
  writer.record(event('poison'))
  await waitUntil('the refusal', () => failures.length === 1)
  state.failure = undefined
  writer.record(event('healthy'))
  await writer.close()
  t.strictSame(await subjects(), ['healthy'])
  t.equal(writer.dropped(), 1)
})

test('audit writer: memory is bounded, and what is lost is counted', async (t) => {
  const { writer, subjects } = await openWriter(t, 10)
  for (let index = 0; index < 15; index += 1) writer.record(event(`user ${index}`))
  t.equal(writer.dropped(), 5)
  await writer.close()
  t.equal((await subjects()).length, 10)
})

test('audit writer: events with one key are recorded once a minute', async (t) => {
  const { writer, subjects } = await openWriter(t)
  for (const subject of ['first', 'second']) writer.recordOncePerMinute('family 1', event(subject))
  writer.recordOncePerMinute('family 2', event('third'))
  await writer.close()
  t.strictSame(await subjects(), ['first', 'third'])
})
