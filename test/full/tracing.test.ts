import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createTestDatabase } from '../support/database.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { startServer } from '../support/server-process.ts'
import { register, startService, testEnvironment } from '../support/service.ts'
import { startTraceCollector } from '../support/trace-collector.ts'
import { waitUntil } from '../support/wait-until.ts'

t.test('every request is a span, by the pattern of its route', async (t) => {
  const collector = await startTraceCollector(t)
  const { app } = await startService(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
  const answer = await app.inject({ method: 'DELETE', url: '/auth/sessions/abc?token=secret' })
  const span = await waitUntil('the span', () =>
    collector.spans.find(({ name }) => name === 'DELETE /auth/sessions/:id'),
  )
  t.equal(span.service, 'tessera')
  t.match(span.attributes, {
    'http.request.method': 'DELETE',
    'http.route': '/auth/sessions/:id',
    'url.path': '/auth/sessions/:id',
    'http.response.status_code': answer.statusCode,
    'tessera.request_id': answer.headers['x-request-id'],
  })
  t.notOk(span.status.code, 'a refusal is no failure of the service')
})

t.test('a trace that was begun elsewhere goes on (W3C traceparent)', async (t) => {
  const collector = await startTraceCollector(t)
  const { app } = await startService(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const parent = 'b7ad6b7169203331'
  await app.inject({
    url: '/.well-known/jwks.json',
    headers: { traceparent: `00-${traceId}-${parent}-01` },
  })
  const span = await waitUntil('the span', () => collector.spans[0])
  t.match(span, { traceId, parentSpanId: parent })
})

t.test('no secret and no name reaches the collector', async (t) => {
  const collector = await startTraceCollector(t)
  const { app } = await startService(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
  const person = await register(app)
  const secrets = [person.email, person.password, person.access_token, person.refresh_token]
  const bearer = { authorization: `Bearer ${person.access_token}` }
  await app.inject({ url: `/auth/me?access_token=${person.access_token}`, headers: bearer })
  await app.inject({ url: `/nothing/${person.refresh_token}`, headers: bearer })
  await app.inject({
    method: 'POST',
    url: '/auth/login',
    payload: { email: person.email, password: `${person.password} not` },
  })
  await app.inject({
    method: 'POST',
    url: '/refresh',
    payload: { refresh_token: person.refresh_token },
  })
  const seen = () => collector.spans.map(({ name }) => name)
  await waitUntil('the spans', () => seen().includes('POST /refresh'))
  t.ok(seen().length >= 5)
  const sent = collector.bodies.join('\n')
  t.strictSame(
    secrets.filter((secret) => sent.includes(secret)),
    [],
  )
  t.strictSame(
    collector.spans.flatMap(({ events, status }) => [
      ...events,
      ...(status.message ? [status] : []),
    ]),
    [],
    'nor the text of an error',
  )
})

t.test('what waits is sent when the service stops', async (t) => {
  const collector = await startTraceCollector(t)
  const { url } = await createTestDatabase(t)
  const server = await startServer(t, {
    ...testEnvironment,
    DATABASE_URL: url,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  })
  await fetch(`${server.url}/.well-known/jwks.json`)
  t.strictSame(await server.stop(), { code: 0, signal: null })
  t.ok(collector.spans.some(({ name }) => name === 'GET /.well-known/jwks.json'))
})

t.test('a collector that is away harms nothing, and the end comes in time', async (t) => {
  const { url } = await createTestDatabase(t)
  const server = await startServer(t, {
    ...testEnvironment,
    DATABASE_URL: url,
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
  })
  for (let round = 0; round < 20; round += 1) {
    t.equal((await fetch(`${server.url}/.well-known/jwks.json`)).status, 200)
  }
  const started = performance.now()
  t.strictSame(await server.stop(), { code: 0, signal: null })
  t.ok(performance.now() - started < 10_000)
})

/** The modules that a process loads by itself, to serve requests and to end. */
const modulesOf = async (t: Test, environment: Record<string, string>): Promise<string[]> => {
  const record = join(temporaryFolder('modules'), 'loaded')
  const { url } = await createTestDatabase(t)
  const server = await startServer(t, {
    ...testEnvironment,
    ...environment,
    ...{ DATABASE_URL: url, METRICS_PORT: '0', MODULES_RECORD: record },
    NODE_OPTIONS: `--import=${new URL('../support/record-modules.ts', import.meta.url)}`,
  })
  const account = { email: 'jo@example.com', password: 'violet kettle on the roof' }
  const { status } = await fetch(`${server.url}/auth/register`, {
    ...{ method: 'POST', body: JSON.stringify(account) },
    headers: { 'content-type': 'application/json' },
  })
  t.equal(status, 201)
  t.strictSame(await server.stop(), { code: 0, signal: null })
  return readFileSync(record, 'utf8').trimEnd().split('\n')
}

t.test(
  'without a collector neither the SDK of OpenTelemetry nor anything of ours for it is loaded',
  async (t) => {
    // Its API, which does nothing by itself, prom-client loads for its own ends.
    const tracing =
      /\/node_modules\/(?:@opentelemetry\/(?!api\/)|@fastify\/otel\/)|\/src\/.*tracing/
    const collector = await startTraceCollector(t)
    const [without, withCollector] = await Promise.all([
      modulesOf(t, {}),
      modulesOf(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }),
    ])
    t.strictSame(
      without.filter((url) => tracing.test(url)),
      [],
    )
    for (const each of ['/node_modules/fastify/', '/node_modules/pg/', '/src/app.ts']) {
      t.ok(
        without.some((url) => url.includes(each)),
        `${each} was noticed`,
      )
    }
    for (const each of ['/@opentelemetry/sdk-trace-node/', '/@fastify/otel/']) {
      t.ok(
        withCollector.some((url) => url.includes(each)),
        `${each} is loaded for a collector`,
      )
    }
  },
)
