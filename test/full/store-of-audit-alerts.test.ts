import { type Test, test } from 'tap'
import { decideAlerts } from '../../src/audit/alert-decision.ts'
import { type AlertRule, alertRules } from '../../src/audit/alert-rules.ts'
import type { RecordedEvent } from '../../src/audit/event.ts'
import { createAuditStore } from '../../src/stores/postgres/audit.ts'
import { createAlertStore } from '../../src/stores/postgres/audit-alerts.ts'
import { onEverySqlBackend, openPostgres, type SqlBackend } from '../support/sql-backends.ts'

const rules: readonly AlertRule[] = [
  {
    name: 'burst',
    ...{ types: ['sign_in.failed'], key: 'subject' },
    ...{ threshold: 3, withinSeconds: 60, quietSeconds: 600 },
  },
  {
    name: 'from_one',
    ...{ types: ['sign_in.failed'], key: 'address' },
    ...{ threshold: 3, withinSeconds: 60, quietSeconds: 600 },
  },
]

const failure = (subject: string, rest: Partial<RecordedEvent> = {}): RecordedEvent => ({
  type: 'sign_in.failed',
  outcome: 'failure',
  subject,
  origin: {},
  ...rest,
})
const times = (count: number, event: RecordedEvent) => Array.from({ length: count }, () => event)

/** What needs no other proof on each backend. */
const onPostgres = (title: string, contract: (t: Test, backend: SqlBackend) => Promise<unknown>) =>
  test(title, async (t) => contract(t, await openPostgres(t)))

const open = (backend: SqlBackend, used = rules) => {
  const store = createAlertStore(backend)
  const audit = createAuditStore(backend)
  return {
    store,
    write: (events: readonly RecordedEvent[]) => audit.append(events),
    raise: (toBeSent = true) => store.raise(used, decideAlerts, toBeSent),
    rows: () => backend.db.selectFrom('alerts').selectAll().orderBy('raised_at').execute(),
  }
}

onEverySqlBackend(
  'alerts: a burst of one key is raised once, with its facts, and told in the audit log',
  async (t, backend) => {
    const { write, raise } = open(backend)
    await write([...times(2, failure('anna')), ...times(2, failure('bert'))])
    t.strictSame(await raise(), [])
    const origin = { requestId: 'r1', address: '192.0.2.1', userAgent: 'Test/1' }
    backend.moveTime(1)
    await write([failure('anna', { clientId: 'app', origin })])
    const [alert, ...more] = await raise()
    t.strictSame(more, [])
    const { id = '', raisedAt, facts } = alert ?? {}
    t.ok(raisedAt instanceof Date)
    t.match(id, /^[0-9a-f-]{36}$/)
    t.equal(alert?.rule, 'burst')
    t.ok(Date.parse(facts?.first_at ?? '') < Date.parse(facts?.last_at ?? ''))
    t.strictSame(
      { ...facts, first_at: '', last_at: '' },
      {
        count: 3,
        first_at: '',
        last_at: '',
        type: 'sign_in.failed',
        actor: null,
        subject: 'anna',
        client_id: 'app',
        session_id: null,
        family_id: null,
        request_id: 'r1',
        address: '192.0.2.1',
        user_agent: 'Test/1',
      },
    )
    t.strictSame(await raise(), [], 'and not again')
    const events = await backend.db
      .selectFrom('audit_events')
      .select(['severity', 'subject', 'client_id', 'address', 'details'])
      .where('type', '=', 'alert.raised')
      .execute()
    t.strictSame(events, [
      {
        severity: 'critical',
        subject: 'anna',
        client_id: 'app',
        address: '192.0.2.1',
        details: {
          ...{ alert: id, rule: 'burst', count: 3 },
          ...{ since: facts?.first_at, event: 'sign_in.failed' },
        },
      },
    ])
  },
)

onPostgres(
  'alerts: a key that goes on is told of again when its quiet time is over, not before',
  async (t, backend) => {
    const { write, raise, rows } = open(backend)
    await write(times(3, failure('anna')))
    t.equal((await raise()).length, 1)
    backend.moveTime(300)
    await write(times(5, failure('anna')))
    t.strictSame(await raise(), [])
    backend.moveTime(310)
    t.strictSame(await raise(), [], 'what happened meanwhile is over')
    await write(times(3, failure('anna')))
    t.equal((await raise()).length, 1)
    t.equal((await rows()).length, 2)
  },
)

onPostgres(
  'alerts: events too far apart are no burst, and what has been told does not count again',
  async (t, backend) => {
    const { write, raise } = open(backend)
    await write(times(2, failure('anna')))
    backend.moveTime(61)
    await write(times(2, failure('anna')))
    t.strictSame(await raise(), [])
    await write(times(1, failure('anna')))
    t.match(await raise(), [{ facts: { count: 3 } }])
  },
)

onPostgres(
  'alerts: an address counts by what one owner has: IPv4 whole, IPv6 by /64',
  async (t, backend) => {
    const { write, raise } = open(backend)
    const from = (address: string) => failure(crypto.randomUUID(), { origin: { address } })
    await write(['192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:db8::1', '2001:db8::2'].map(from))
    await write(['2001:db8:0:1::1'].map(from))
    t.strictSame(await raise(), [])
    await write(['2001:db8::ffff'].map(from))
    t.match(await raise(), [{ rule: 'from_one', facts: { count: 3, address: '2001:db8::ffff' } }])
    const told = await backend.db
      .selectFrom('audit_events')
      .select(['subject', 'actor', 'address'])
      .where('type', '=', 'alert.raised')
      .execute()
    t.strictSame(
      told,
      [{ subject: null, actor: null, address: '2001:db8::ffff' }],
      'and shown to nobody of those who happened to be meant',
    )
  },
)

onEverySqlBackend(
  'alerts: every rule of the service is one that the store can count',
  async (t, backend) => {
    const { write, raise } = open(backend, [...alertRules])
    const familyId = crypto.randomUUID()
    const events = alertRules.flatMap(({ types, threshold }) =>
      types.flatMap((type) =>
        times(
          threshold,
          failure('anna', {
            ...{ type, familyId, clientId: 'app', actor: 'admin' },
            origin: { address: '192.0.2.1' },
          }),
        ),
      ),
    )
    await write(events)
    const raised = new Set((await raise()).map(({ rule }) => rule))
    t.strictSame([...raised].sort(), alertRules.map(({ name }) => name).sort())
  },
)

onPostgres(
  'alerts: what the service does by itself is no act of an administrator',
  async (t, backend) => {
    const { write, raise } = open(backend, alertRules)
    await write([{ type: 'key.rotated', outcome: 'success', origin: {} }])
    t.strictSame(await raise(), [])
    await write([{ type: 'key.rotated', outcome: 'success', actor: 'cli', origin: {} }])
    t.match(await raise(), [{ rule: 'admin_change', facts: { actor: 'cli' } }])
  },
)

onEverySqlBackend(
  'alerts: the outbox gives an alert once for each attempt, later each time, until it is delivered',
  async (t, backend) => {
    const { store, write, raise, rows } = open(backend)
    await write(times(3, failure('anna')))
    const [alert] = await raise()
    const claim = () => store.claim([10, 100])
    t.strictSame(await claim(), { ...alert, attempt: 1 })
    t.equal(await claim(), undefined)
    backend.moveTime(9)
    t.equal(await claim(), undefined)
    backend.moveTime(1)
    t.match(await claim(), { id: alert?.id, attempt: 2 })
    backend.moveTime(99)
    t.equal(await claim(), undefined)
    await store.markDelivered(alert?.id ?? '')
    backend.moveTime(10_000)
    t.equal(await claim(), undefined)
    t.match(await rows(), [{ attempts: 2, next_attempt_at: null, delivered_at: Date }])
  },
)

onPostgres('alerts: attempts come to an end', async (t, backend) => {
  const { store, write, raise } = open(backend)
  await write(times(3, failure('anna')))
  await raise()
  const attempts: unknown[] = []
  for (let index = 0; index < 5; index += 1) {
    attempts.push((await store.claim([1, 1]))?.attempt)
    backend.moveTime(1000)
  }
  t.strictSame(attempts, [1, 2, 3, undefined, undefined])
})

onPostgres('alerts: without a receiver nothing waits to be sent', async (t, backend) => {
  const { store, write, raise, rows } = open(backend)
  await write(times(3, failure('anna')))
  await raise(false)
  t.equal(await store.claim([1]), undefined)
  t.match(await rows(), [{ next_attempt_at: null }])
})

test('alerts: of many nodes that look and send at once, one raises and one sends', async (t) => {
  const backend = await openPostgres(t)
  const { store, write, raise } = open(backend)
  await write(['anna', 'bert', 'cleo'].flatMap((name) => times(3, failure(name))))
  const raised = await Promise.all(Array.from({ length: 8 }, () => raise()))
  t.equal(raised.flat().length, 3)
  const claimed = await Promise.all(Array.from({ length: 8 }, () => store.claim([60])))
  const ids = claimed.flatMap((alert) => (alert === undefined ? [] : [alert.id]))
  t.strictSame(
    ids.sort(),
    raised
      .flat()
      .map(({ id }) => id)
      .sort(),
  )
})
