import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import Fastify from 'fastify'
import { type Kysely, sql } from 'kysely'
import { type Test, test } from 'tap'
import type { AuditLog } from '../../../src/audit/audit-log.ts'
import { auditEvents } from '../../../src/endpoints/admin/audit-events.ts'
import { auditEventSchema } from '../../../src/endpoints/audit-schema.ts'
import { problemSchema } from '../../../src/endpoints/problem-schema.ts'
import { Unavailable } from '../../../src/oauth/unavailable.ts'
import { createAuditLog } from '../../../src/stores/postgres/audit-log.ts'
import type { Database } from '../../../src/stores/postgres/schema.ts'
import { openPostgres } from '../../support/sql-backends.ts'
import { waitUntil } from '../../support/wait-until.ts'
import { isProblem } from '../auth/api.ts'
import { startAdminApi } from './admin-api.ts'

type Event = { id: string; type: string; subject: string | null }

const sessionId = 'a2f3c1de-0001-4000-8000-00000000beef'
const familyId = 'a2f3c1de-0002-4000-8000-00000000beef'

test('GET /admin/audit-events', async (t) => {
  const api = await startAdminApi(t)
  const { token } = await api.joinPermitted('audit.read')
  const { auditWriter } = api.deps
  auditWriter.record({
    type: 'family.reused',
    outcome: 'failure',
    actor: 'app',
    subject: 'somebody',
    clientId: 'app',
    sessionId,
    familyId,
    details: { generation: 2 },
    origin: { requestId: 'r1', address: '2001:db8::1', userAgent: 'Test/1' },
  })
  const find = (query: string) => api.get(`/admin/audit-events?${query}`, token)
  const reused = await waitUntil('the event', async () => {
    const { json } = await find('type=family.reused')
    return json.events[0]
  })

  await t.test('gives events whole', async (t) => {
    const { id, time, ...rest } = reused
    t.match(id, /^[0-9a-f-]{36}$/)
    t.ok(Date.parse(time) > 0)
    t.strictSame(rest, {
      type: 'family.reused',
      severity: 'critical',
      outcome: 'failure',
      actor: 'app',
      subject: 'somebody',
      client_id: 'app',
      session_id: sessionId,
      family_id: familyId,
      request_id: 'r1',
      address: '2001:db8::1',
      user_agent: 'Test/1',
      details: { generation: 2 },
    })
  })

  await t.test('filters by each member, all of which must match', async (t) => {
    const minute = 60_000
    const at = (offset: number) => new Date(Date.parse(reused.time) + offset).toISOString()
    const filters = {
      severity: 'critical',
      subject: 'somebody',
      actor: 'app',
      client: 'app',
      session: sessionId,
      family: familyId,
      address: '2001:DB8:0::1',
      from: at(-minute),
      to: at(minute),
    }
    for (const [name, value] of Object.entries(filters)) {
      const { status, json } = await find(`type=family.reused&${name}=${encodeURIComponent(value)}`)
      t.equal(status, 200, name)
      t.strictSame(json, { events: [reused], next_cursor: null }, name)
    }
    for (const other of [
      'subject=x',
      'family=00000000-0000-4000-8000-000000000000',
      `to=${at(0)}`,
    ]) {
      t.strictSame((await find(`type=family.reused&${other}`)).json.events, [], other)
    }
  })

  await t.test('finds an address by each of its spellings', async (t) => {
    const address = '198.51.100.77'
    auditWriter.record({ type: 'sign_in.failed', outcome: 'failure', origin: { address } })
    await waitUntil('the event', async () => (await find(`address=${address}`)).json.events[0])
    for (const spelling of ['::ffff:198.51.100.77', '::FFFF:c633:644d']) {
      const { json } = await find(`address=${encodeURIComponent(spelling)}`)
      t.equal(json.events.length, 1, spelling)
    }
  })

  await t.test('names the member that is wrong', async (t) => {
    const notAllowed = 'has characters or a form that are not allowed'
    const bad = {
      'severity=fatal': ['severity', 'must be one of info, notice, warning, critical'],
      'session=1': ['session', 'must be a valid uuid'],
      'family=%00': ['family', 'must be a valid uuid'],
      'address=localhost': ['address', 'must be an IP address'],
      'subject=a%00b': ['subject', notAllowed],
      'subject=': ['subject', 'must not be empty'],
      'from=yesterday': ['from', 'must be a valid date-time'],
      'from=2016-12-31T23:59:60Z': ['from', 'must be a valid date-time'],
      'to=0000-12-31T00:00:00Z': ['to', 'must be a valid date-time'],
      'to=9999-12-31T23:59:59-01:00': ['to', 'must be a valid date-time'],
      'from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z': ['to', 'must be later than from'],
      'limit=101': ['limit', 'must be <= 100'],
      'cursor=%F0%9F%94%91': ['cursor', 'must be the next_cursor of a page'],
      'user=1': ['user', 'is not a member of this request'],
    } as const
    for (const [query, [field, message]] of Object.entries(bad)) {
      isProblem(t, await find(query), 'validation', { fields: [{ field, message }] })
    }
    const { json } = await find('type=nonsense')
    t.match(json, {
      code: 'validation',
      errors: [{ field: 'type', message: /must be one of .*user/ }],
    })
  })

  await t.test('exports everything that matches, an event a line', async (t) => {
    await insertMany(api.db, 1234)
    const answer = await api.app.inject({
      url: '/admin/audit-events?subject=many',
      headers: { authorization: `Bearer ${token}`, accept: 'application/x-ndjson' },
    })
    t.equal(answer.statusCode, 200)
    t.equal(answer.headers['content-type'], 'application/x-ndjson')
    const lines = answer.body.trimEnd().split('\n')
    const events = lines.map((line) => JSON.parse(line) as Event)
    t.equal(new Set(events.map(({ id }) => id)).size, 1234)
    const { json } = await find('subject=many&limit=1')
    t.strictSame(events[0], json.events[0], 'as on a page')
    isProblem(
      t,
      await api.request({
        url: '/admin/audit-events?limit=5',
        headers: { authorization: `Bearer ${token}`, accept: 'application/x-ndjson' },
      }),
      'validation',
      { fields: [{ field: 'limit', message: 'is for pages, not for an export' }] },
    )
  })
})

const batches = 20

/** The route alone, on a real log whose readings are counted. */
const serveExport = async (t: Test, { failAt = Number.POSITIVE_INFINITY } = {}) => {
  const backend = await openPostgres(t)
  await insertMany(backend.db, batches * 500)
  const log = createAuditLog(backend)
  const state = { asked: 0 }
  const auditLog: AuditLog = {
    ...log,
    async find(filter, paging) {
      state.asked += 1
      if (state.asked === failAt) throw new Unavailable('the database does not answer')
      return log.find(filter, paging)
    },
  }
  const app = Fastify()
  for (const schema of [problemSchema, auditEventSchema]) app.addSchema(schema)
  await app.register(auditEvents, { auditLog })
  await app.listen({ port: 0 })
  t.teardown(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const sent = request({
    port,
    path: '/admin/audit-events',
    headers: { accept: 'application/x-ndjson' },
  })
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  await once(response, 'readable')
  return { state, app, sent, response }
}

/** Waits until nothing more was read for a while. */
const settled = (state: { asked: number }) => {
  let last = { asked: -1, since: 0 }
  return waitUntil('the readings to end', () => {
    if (last.asked !== state.asked) last = { asked: state.asked, since: performance.now() }
    return performance.now() - last.since > 300
  })
}

test('an export reads no further than its reader, and on when the reader does', async (t) => {
  const { state, response } = await serveExport(t)
  await settled(state)
  t.ok(state.asked < batches, `${state.asked} of ${batches} batches`)
  const lines = (await text(response)).trimEnd().split('\n')
  t.equal(new Set(lines.map((line) => (JSON.parse(line) as Event).id)).size, batches * 500)
  t.equal(state.asked, batches)
})

test('an export that cannot be finished is cut off, so that nobody takes it for whole', async (t) => {
  const { response } = await serveExport(t, { failAt: 3 })
  await t.rejects(text(response), { code: 'ECONNRESET' })
})

test('an export ends when its reader goes away', async (t) => {
  const { state, app, sent } = await serveExport(t)
  sent.destroy()
  await settled(state)
  t.ok(state.asked < batches)
  await app.close()
})

const insertMany = (db: Kysely<Database>, count: number) =>
  sql`
    INSERT INTO audit_events (id, occurred_at, type, severity, outcome, subject, user_agent)
    SELECT gen_random_uuid(), now() - make_interval(secs => n), 'sign_in.failed', 'notice',
      'failure', 'many', repeat('x', 1000) FROM generate_series(1, ${count}::integer) n`.execute(db)
