import { type Test, test } from 'tap'
import { bodyOf, credentials, post, type SignedIn } from '../faults/over-http.ts'
import { read, sampleOf } from '../observability/samples.ts'
import { createTestDatabase } from '../support/database.ts'
import { freePort } from '../support/free-port.ts'
import { startLoad } from '../support/load.ts'
import { type ServerProcess, spawnServer, startServer } from '../support/server-process.ts'
import { testEnvironment } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const start = async (t: Test) => {
  const { url } = await createTestDatabase(t)
  const metricsPort = await freePort()
  const server = await startServer(t, {
    ...testEnvironment,
    DATABASE_URL: url,
    WORKERS: '2',
    METRICS_PORT: `${metricsPort}`,
  })
  const metrics = async () =>
    read(await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text())
  const serve = (count: number) =>
    waitUntil(
      `${count} workers`,
      async () => sampleOf(await metrics(), 'tessera_workers') === count,
    )
  await serve(2)
  return { server, metrics, serve }
}

type Started = { readonly id: number; readonly pid: number }

/** Every worker that has begun to serve, in the order in which they did. */
const startedIn = (server: ServerProcess): Started[] =>
  server
    .log()
    .filter(({ msg }) => msg === 'started')
    .map(({ worker, pid }) => ({ id: worker as number, pid: pid as number }))

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('workers share one port, and are one service', async (t) => {
  const { server, metrics } = await start(t)
  const { refresh_token: first } = await bodyOf<SignedIn>(
    post(server, '/auth/register', credentials()),
  )
  const load = await startLoad(server.url)
  await waitUntil('some answers', () => load.answered() > 100)
  const { statuses, broken } = await load.stop()
  t.strictSame([...statuses.keys()], [200])
  t.strictSame(broken, [])
  const answered = statuses.get(200)
  t.equal((await post(server, '/refresh', { refresh_token: first })).status, 200)

  const samples = await metrics()
  const rotated = sampleOf(samples, 'tessera_refreshes_total', { outcome: 'rotated' })
  t.equal(rotated, (answered ?? 0) + 1, 'the metrics of all are added')
  const lines = server.log().filter(({ msg }) => msg === 'request')
  t.strictSame(new Set(lines.map(({ worker }) => worker)), new Set([1, 2]), 'both serve')
})

test('a worker that is killed under load: the other serves, and a new one comes', async (t) => {
  const { server, metrics, serve } = await start(t)
  const load = await startLoad(server.url)
  await waitUntil('some answers', () => load.answered() > 50)
  const [victim] = startedIn(server)
  process.kill(victim?.pid ?? 0, 'SIGKILL')
  await waitUntil('a new worker', () => startedIn(server).length === 3)
  await serve(2)
  const answered = load.answered()
  await waitUntil('more answers', () => load.answered() > answered + 50)
  const { statuses, broken } = await load.stop()
  t.strictSame([...statuses.keys()], [200], 'whatever was answered was answered well')
  t.ok(broken.length <= load.people, 'only what the killed one was doing is lost')
  t.equal(sampleOf(await metrics(), 'tessera_worker_restarts_total'), 1)
  t.match(
    server.log().find(({ msg }) => String(msg).startsWith('a worker ended')),
    { level: 'error', worker: victim?.id, signal: 'SIGKILL', delayMs: 0 },
  )
})

test('SIGHUP under load replaces every worker, and no request fails', async (t) => {
  const { server, metrics } = await start(t)
  const old = startedIn(server)
  const load = await startLoad(server.url)
  await waitUntil('some answers', () => load.answered() > 50)
  process.kill(server.pid, 'SIGHUP')
  await waitUntil(
    'the replacement',
    () => server.log().some(({ msg }) => msg === 'all workers have been replaced'),
    { timeoutMs: 60_000 },
  )
  const answered = load.answered()
  await waitUntil('more answers', () => load.answered() > answered + 50)
  const { statuses, broken } = await load.stop()
  t.strictSame([...statuses.keys()], [200])
  t.strictSame(broken, [])
  t.strictSame(
    old.filter(({ pid }) => isAlive(pid)),
    [],
    'the old ones are gone',
  )
  t.equal(startedIn(server).length, 4)
  const samples = await metrics()
  t.equal(sampleOf(samples, 'tessera_workers'), 2)
  t.equal(sampleOf(samples, 'tessera_worker_restarts_total'), 0)
  const rotated = sampleOf(samples, 'tessera_refreshes_total', { outcome: 'rotated' })
  t.equal(rotated, statuses.get(200), 'what those had counted that are gone still counts')
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends all workers when they have finished what runs`, async (t) => {
    const { server } = await start(t)
    const load = await startLoad(server.url)
    await waitUntil('some answers', () => load.answered() > 50)
    const stopped = server.stop(signal)
    t.strictSame(await stopped, { code: 0, signal: null })
    const { statuses } = await load.stop()
    t.strictSame([...statuses.keys()], [200])
    t.strictSame(
      startedIn(server).filter(({ pid }) => isAlive(pid)),
      [],
    )
    t.equal(server.log().filter(({ msg }) => msg === 'stopped').length, 3)
  })
}

test('workers do not outlive a primary that was killed', async (t) => {
  const { server } = await start(t)
  await server.kill()
  await waitUntil('their end', () => !startedIn(server).some(({ pid }) => isAlive(pid)))
})

test('a start that cannot be is told once, and leaves no process', async (t) => {
  const { url } = await createTestDatabase(t)
  const taken = await startServer(t, { ...testEnvironment, DATABASE_URL: url })
  const server = spawnServer({
    ...testEnvironment,
    DATABASE_URL: url,
    WORKERS: '2',
    PORT: `${taken.port}`,
  })
  t.strictSame(await server.exit, { code: 1, signal: null })
  t.match(server.output(), `Tessera cannot start:\n  - Port ${taken.port} is in use`)
  t.equal(server.output().split('cannot start').length, 2)
})
