import { sql } from 'kysely'
import { type AuditFilter, type AuditPaging, readAll } from '../../src/audit/audit-log.ts'
import type { RecordedEvent } from '../../src/audit/event.ts'
import { createAuditStore } from '../../src/stores/postgres/audit.ts'
import { createAuditLog } from '../../src/stores/postgres/audit-log.ts'
import { onEverySqlBackend, type SqlBackend } from '../support/sql-backends.ts'

const event = (subject: string, rest: Partial<RecordedEvent> = {}): RecordedEvent => ({
  type: 'sign_in.failed',
  outcome: 'failure',
  subject,
  origin: {},
  ...rest,
})

/** Writes events, all at different times. */
const write = async (backend: SqlBackend, events: readonly RecordedEvent[]): Promise<void> => {
  const store = createAuditStore(backend)
  for (const one of events) {
    backend.moveTime(60)
    await store.append([one])
  }
}

const sessionId = 'a2f3c1de-0001-4000-8000-00000000beef'
const familyId = 'a2f3c1de-0002-4000-8000-00000000beef'

onEverySqlBackend('audit log: an event is read as it was written', async (t, backend) => {
  const written = {
    type: 'family.reused',
    outcome: 'failure',
    actor: 'app',
    subject: 'user-1',
    clientId: 'app',
    sessionId,
    familyId,
    details: { generation: 3, names: ['a'], flag: true },
  } as const
  const origin = { requestId: 'r1', address: '2001:db8::1', userAgent: 'Test/1' }
  await write(backend, [{ ...written, origin }])
  const { events, next } = await createAuditLog(backend).find({}, { limit: 10 })
  const [{ id, occurredAt, ...rest } = { id: '', occurredAt: null }] = events
  t.match(id, /^[0-9a-f-]{36}$/)
  t.ok(occurredAt instanceof Date)
  t.strictSame(rest, { ...written, severity: 'critical', ...origin })
  t.equal(next, undefined)
})

onEverySqlBackend(
  'audit log: each filter finds what it names, and all must match',
  async (t, backend) => {
    await write(backend, [
      event('anna'),
      event('by anna', { actor: 'anna' }),
      event('typed', { type: 'family.reused' }),
      event('client', { clientId: 'app' }),
      event('session', { sessionId }),
      event('family', { familyId }),
      event('address', { origin: { address: '2001:db8::1' } }),
      event('two', { clientId: 'app', type: 'family.reused' }),
    ])
    const log = createAuditLog(backend)
    const subjects = async (filter: AuditFilter) =>
      (await log.find(filter, { limit: 100 })).events.map(({ subject }) => subject)
    const whole = (await log.find({}, { limit: 100 })).events
    const third = whole[5]?.occurredAt ?? new Date(0)

    t.strictSame(await subjects({ subject: 'anna' }), ['anna'])
    t.strictSame(await subjects({ actor: 'anna' }), ['by anna'])
    t.strictSame(await subjects({ type: 'family.reused' }), ['two', 'typed'])
    t.strictSame(await subjects({ severity: 'critical' }), ['two', 'typed'])
    t.strictSame(await subjects({ clientId: 'app' }), ['two', 'client'])
    t.strictSame(await subjects({ sessionId }), ['session'])
    t.strictSame(await subjects({ familyId }), ['family'])
    t.strictSame(await subjects({ address: '2001:db8::1' }), ['address'])
    t.strictSame(await subjects({ to: third }), ['by anna', 'anna'])
    t.strictSame(await subjects({ from: third, to: new Date(third.getTime() + 1) }), ['typed'])
    t.strictSame(await subjects({ clientId: 'app', type: 'family.reused' }), ['two'])
    t.strictSame(await subjects({ clientId: 'app', subject: 'anna' }), [])
  },
)

onEverySqlBackend(
  'audit log: pages neither miss nor repeat, though events share a time and more are written',
  async (t, backend) => {
    const store = createAuditStore(backend)
    const log = createAuditLog(backend)
    // One statement, so one time for all.
    await store.append(Array.from({ length: 25 }, (_, index) => event(`user ${index}`)))
    const read: string[] = []
    let paging: AuditPaging | undefined = { limit: 10 }
    while (paging !== undefined) {
      const { events, next }: Awaited<ReturnType<typeof log.find>> = await log.find({}, paging)
      read.push(...events.map(({ subject }) => subject ?? ''))
      backend.moveTime(60)
      await store.append([event('later')])
      paging = next && { limit: 10, before: next }
    }
    t.equal(read.length, 25)
    t.equal(new Set(read).size, 25)
    t.notOk(read.includes('later'))
  },
)

onEverySqlBackend(
  'audit log: the own events are those about oneself and those that one did, each once',
  async (t, backend) => {
    await write(backend, [
      event('anna'),
      event('anna', { actor: 'anna', type: 'user.updated' }),
      event('bert', { actor: 'anna', type: 'user.disabled' }),
      event('bert'),
      event('bert', { actor: 'bert' }),
      { type: 'key.rotated', outcome: 'success', actor: 'anna', origin: {} },
    ])
    const log = createAuditLog(backend)
    const first = await log.findOwn('anna', { limit: 3 })
    const second = await log.findOwn('anna', {
      limit: 3,
      ...(first.next && { before: first.next }),
    })
    t.strictSame(
      [...first.events, ...second.events].map(({ type }) => type),
      ['key.rotated', 'user.disabled', 'user.updated', 'sign_in.failed'],
    )
    t.equal(first.events.length, 3)
    t.equal(second.next, undefined)
  },
)

onEverySqlBackend(
  'audit log: all that match are read a batch at a time, and none before it is asked for',
  async (t, backend) => {
    await sql`
      INSERT INTO audit_events (id, occurred_at, type, severity, outcome)
      SELECT gen_random_uuid(), now() - make_interval(secs => n), 'sign_in.failed', 'notice',
        'failure' FROM generate_series(1, 1200) n`.execute(backend.db)
    const log = createAuditLog(backend)
    let asked = 0
    const counting: typeof log.find = (filter, paging) => {
      asked += 1
      return log.find(filter, paging)
    }
    const batches = readAll({ find: counting }, {}, { limit: 500 })
    const sizes: number[] = []
    for await (const events of batches) {
      sizes.push(events.length)
      t.equal(asked, sizes.length)
    }
    t.strictSame(sizes, [500, 500, 200])
    const none = await readAll(log, { subject: 'nobody' }, { limit: 500 }).next()
    t.strictSame(none, { done: true, value: undefined })
  },
)
