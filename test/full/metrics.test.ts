import { randomUUID } from 'node:crypto'
import type { Insertable } from 'kysely'
import t, { type Test } from 'tap'
import { createMetrics } from '../../src/observability/metrics.ts'
import type { Database } from '../../src/stores/postgres/schema.ts'
import { basic, createMachine, postForm } from '../endpoints/oauth/requests.ts'
import { read, type Sample, sampleOf } from '../observability/samples.ts'
import { createTestDatabase } from '../support/database.ts'
import { freePort } from '../support/free-port.ts'
import { startServer } from '../support/server-process.ts'
import { connect, register, startService, testEnvironment } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const withMetrics = { METRICS_PORT: '9464' }

const start = async (t: Test, environment = {}) => {
  const service = await startService(t, { ...withMetrics, ...environment })
  const samples = async (): Promise<Sample[]> => read(await service.deps.metrics.registry.metrics())
  const value = async (name: string, labels = {}) => sampleOf(await samples(), name, labels)
  return { ...service, samples, value }
}

t.test(
  'every request is counted once, by method, pattern of its route and class of status',
  async (t) => {
    const { app, value } = await start(t)
    for (const id of ['one', 'two']) {
      await app.inject({ method: 'DELETE', url: `/auth/sessions/${id}?token=${id}` })
    }
    await app.inject('/.well-known/jwks.json')
    await app.inject('/nothing/here')
    const count = (method: string, route: string, status_class: string) =>
      value('tessera_http_request_duration_seconds_count', { method, route, status_class })
    t.equal(await count('DELETE', '/auth/sessions/:id', '4xx'), 2)
    t.equal(await count('GET', '/.well-known/jwks.json', '2xx'), 1)
    t.equal(await count('GET', 'none', '4xx'), 1)
  },
)

t.test('authentications of clients are counted by their outcome', async (t) => {
  const { app, deps, value } = await start(t)
  const { headers, id } = await createMachine(deps)
  const body = 'grant_type=client_credentials'
  await postForm(app, '/token', body, headers)
  for (const name of [id, 'nobody', id]) await postForm(app, '/token', body, basic(name, 'guess'))
  await postForm(app, '/token', `${body}&client_id=${id}&client_secret=x`, headers)
  const count = (outcome: string) => value('tessera_client_authentications_total', { outcome })
  t.equal(await count('succeeded'), 1)
  t.equal(await count('invalid_client'), 3)
  t.equal(await count('invalid_request'), 1)
})

t.test('sign-ins, registrations, refreshes and grants are counted by their outcome', async (t) => {
  const { app, value } = await start(t)
  const { email, password, refresh_token } = await register(app)
  const post = (url: string, payload: object) => app.inject({ method: 'POST', url, payload })
  await post('/auth/register', { email, password })
  await post('/auth/login', { email, password })
  await post('/auth/login', { email, password: 'not the right one' })
  await post('/refresh', { refresh_token })
  await post('/refresh', { refresh_token })
  await post('/refresh', { refresh_token: 'made up' })
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const body = 'grant_type=refresh_token&client_id=first-party&refresh_token=made-up'
  await app.inject({ method: 'POST', url: '/token', headers: form, payload: body })

  t.equal(await value('tessera_registrations_total', { outcome: 'succeeded' }), 1)
  t.equal(await value('tessera_registrations_total', { outcome: 'email_taken' }), 1)
  t.equal(await value('tessera_sign_ins_total', { outcome: 'succeeded' }), 1)
  t.equal(await value('tessera_sign_ins_total', { outcome: 'failed' }), 1)
  t.equal(await value('tessera_refreshes_total', { outcome: 'rotated' }), 1)
  t.equal(await value('tessera_refreshes_total', { outcome: 'retried' }), 1)
  t.equal(await value('tessera_refreshes_total', { outcome: 'unknown' }), 2)
  const grant = { grant_type: 'refresh_token', outcome: 'invalid_grant' }
  t.equal(await value('tessera_grants_total', grant), 1)
})

t.test('lockouts and refusals by a rate limit are counted', async (t) => {
  const { app, value } = await start(t, { RATE_LIMIT_SIGN_IN: '4/60', MAX_LOGIN_ATTEMPTS: '2' })
  for (let attempt = 0; attempt < 6; attempt += 1) {
    const payload = { email: 'nobody@example.com', password: 'wrong as can be' }
    await app.inject({ method: 'POST', url: '/auth/login', payload })
  }
  t.equal(await value('tessera_lockouts_total', { scope: 'account' }), 1)
  t.equal(await value('tessera_sign_ins_total', { outcome: 'too_many_attempts' }), 2)
  t.equal(await value('tessera_rate_limited_total', { profile: 'sign_in' }), 2)
})

t.test('what the parts know of themselves is read when somebody asks', async (t) => {
  const { value } = await start(t)
  const lag = (await value('tessera_revocation_lag_seconds')) ?? Number.NaN
  t.ok(lag >= 0 && lag < 5)
  t.equal(await value('tessera_ready'), 1)
  t.equal(await value('tessera_dependency_up', { dependency: 'database' }), 1)
  t.equal(await value('tessera_dependency_up', { dependency: 'redis' }), undefined)
  t.equal(await value('tessera_password_hashes_waiting'), 0)
  t.equal(await value('tessera_audit_events_dropped_total'), 0)
  t.ok(((await value('tessera_database_connections', { state: 'idle' })) ?? 0) > 0)
  t.equal(await value('tessera_database_waiting'), 0)
  for (const algorithm of ['RS256', 'ES256', 'EdDSA', 'PS256']) {
    t.ok(((await value('tessera_signing_key_age_seconds', { algorithm })) ?? -1) >= 0, algorithm)
  }
})

t.test('the age of a key is counted by the time of the database', async (t) => {
  const { value, moveTime, deps } = await start(t)
  const age = async () =>
    (await value('tessera_signing_key_age_seconds', { algorithm: 'EdDSA' })) ?? 0
  const before = await age()
  moveTime(3600)
  await deps.revocations.announce()
  const grown = (await age()) - before
  t.ok(grown >= 3600 && grown < 3660)
})

t.test('what is pruned is counted by its chore', async (t) => {
  const first = await startService(t)
  const db = await connect(t, first)
  const [started_at, ended_at] = [49, 48].map((hours) => new Date(Date.now() - hours * 3_600_000))
  const outage = () =>
    ({ id: randomUUID(), started_at, ended_at }) as Insertable<Database['outages']>
  await db.insertInto('outages').values([outage(), outage(), outage()]).execute()
  const { value } = await start(t, { DATABASE_URL: first.databaseUrl })
  t.equal(await value('tessera_pruned_total', { chore: 'outages' }), 3)
})

t.test('no label holds anything that a request brings', async (t) => {
  const { app, samples } = await start(t)
  const before = new Set((await samples()).map(({ id }) => id))
  const mark = 'x7q9z'
  for (let index = 0; index < 20; index += 1) {
    const name = `${mark}${index}`
    await app.inject({ url: `/${name}?${name}=1`, headers: { 'user-agent': name } })
    await app.inject({
      method: 'POST',
      url: '/auth/login',
      payload: { email: `${name}@a.example`, password: name },
    })
    await app.inject({ method: 'DELETE', url: `/auth/sessions/${name}` })
    const headers = {
      authorization: `Basic ${btoa(`${name}:${name}`)}`,
      'content-type': 'application/x-www-form-urlencoded',
    }
    await app.inject({ method: 'POST', url: '/token', headers, payload: `grant_type=${name}` })
  }
  const made = (await samples()).filter(({ id }) => !before.has(id))
  t.ok(made.length > 0 && made.length < 150, `${made.length} new series`)
  t.strictSame(
    made.filter(({ id }) => id.includes(mark)),
    [],
  )
})

t.test('a method that is not ours is one label', async (t) => {
  const metrics = createMetrics()
  for (const method of ['PROPFIND', 'BREW', 'MKCOL']) {
    metrics.observeRequest({ method, route: undefined, status: 404, seconds: 0.01 })
  }
  const labels = { method: 'other', route: 'none', status_class: '4xx' }
  const name = 'tessera_http_request_duration_seconds_count'
  t.equal(sampleOf(read(await metrics.registry.metrics()), name, labels), 3)
})

t.test('metrics are on a port of their own and not on the public one', async (t) => {
  const { url: DATABASE_URL } = await createTestDatabase(t)
  const metricsPort = await freePort()
  const env = { ...testEnvironment, DATABASE_URL, METRICS_PORT: `${metricsPort}` }
  const server = await startServer(t, env)
  const metricsUrl = `http://127.0.0.1:${metricsPort}`

  const answer = await fetch(`${metricsUrl}/metrics`)
  t.equal(answer.status, 200)
  t.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  const samples = read(await answer.text())
  t.equal(sampleOf(samples, 'tessera_ready'), 1)
  t.ok((sampleOf(samples, 'process_resident_memory_bytes') ?? 0) > 1e7)
  t.ok((sampleOf(samples, 'nodejs_eventloop_lag_p99_seconds') ?? 0) > 0)

  t.equal((await fetch(`${metricsUrl}/`)).status, 404)
  t.equal((await fetch(`${metricsUrl}/metrics`, { method: 'POST' })).status, 405)
  t.equal((await fetch(`${server.url}/metrics`)).status, 404)
  t.same(await server.stop(), { code: 0, signal: null })
  await t.rejects(fetch(metricsUrl), 'it ends with the service')
})

t.test('metrics answer while the database is away, and say so', async (t) => {
  const { value, databaseUrl, deps } = await start(t)
  const { Client } = (await import('pg')).default
  const client = new Client({ connectionString: new URL('/postgres', databaseUrl).href })
  await client.connect()
  t.teardown(() => client.end())
  const name = new URL(databaseUrl).pathname.slice(1)
  const refuse = (allowed: boolean) =>
    client.query(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS ${allowed}`)
  await refuse(false)
  t.teardown(() => refuse(true))
  await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [
    name,
  ])
  await waitUntil('the degradation', () => deps.health.degraded().includes('database'))
  t.equal(await value('tessera_dependency_up', { dependency: 'database' }), 0)
  t.ok(((await value('tessera_revocation_lag_seconds')) ?? 0) > 3)
})
