import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type Test, test } from 'tap'
import { bodyOf, credentials, get, post, type SignedIn } from '../faults/over-http.ts'
import { createTestDatabase } from '../support/database.ts'
import { freePort } from '../support/free-port.ts'
import { startProxy } from '../support/proxy.ts'
import { noteProcess } from '../support/run-folder.ts'
import { type Exit, type ServerProcess, startServer } from '../support/server-process.ts'
import { testEnvironment } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

// One hash at a time, each of them slow enough for others to wait.
const slowHashes = {
  PASSWORD_HASH_MEMORY_KIB: '65536',
  PASSWORD_HASH_TIME_COST: '3',
  PASSWORD_HASH_CONCURRENCY: '1',
}

const refusesConnections = (url: string): Promise<boolean> =>
  fetch(url).then(
    () => false,
    (error: Error) => (error.cause as { code?: string }).code === 'ECONNREFUSED',
  )

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal}: what runs is finished, nothing new is taken, and the process ends well`, async (t) => {
    const { url } = await createTestDatabase(t)
    const server = await startServer(t, { ...testEnvironment, ...slowHashes, DATABASE_URL: url })
    const account = credentials()
    t.equal((await post(server, '/auth/register', account)).status, 201)
    let answered = 0
    const waiting = Array.from({ length: 4 }, async () => {
      const { status } = await post(server, '/auth/login', account)
      answered += 1
      return status
    })
    t.equal(await Promise.race(waiting), 200)
    t.ok(answered < 4, 'the first is done, others wait')
    const stopped = server.stop(signal)
    await waitUntil('connections to be refused', () => refusesConnections(server.url), {
      intervalMs: 5,
    })
    t.strictSame(await Promise.all(waiting), [200, 200, 200, 200])
    t.strictSame(await stopped, { code: 0, signal: null })
    const messages = server.log().map(({ msg }) => msg)
    t.ok(messages.includes('stopping') && messages.at(-1) === 'stopped', 'and says so')
  })
}

test('a request that never comes to its end does not hold up the end of the process', async (t) => {
  const { url } = await createTestDatabase(t)
  const server = await startServer(t, {
    ...testEnvironment,
    DATABASE_URL: url,
    SHUTDOWN_TIMEOUT_MS: '500',
  })
  const dawdler = connect(server.port, '127.0.0.1')
  t.teardown(() => dawdler.destroy())
  dawdler.on('error', () => {})
  await once(dawdler, 'connect')
  const head = ['POST /auth/login HTTP/1.1', 'Host: a', 'Content-Type: application/json']
  dawdler.write(`${[...head, 'Content-Length: 100'].join('\r\n')}\r\n\r\n{"email":`)
  t.equal((await get(server, '/health/live')).status, 200)
  const cut = once(dawdler, 'close')
  t.strictSame(await server.stop(), { code: 0, signal: null })
  await cut
})

for (const [state, fault] of [
  ['refuses connections', 'cut'],
  ['does not answer', 'hold'],
] as const) {
  test(`a process whose database ${state} ends in time`, async (t) => {
    const { url } = await createTestDatabase(t)
    const proxy = await startProxy(t, url)
    const server = await startServer(t, {
      ...testEnvironment,
      DATABASE_URL: proxy.url,
      DATABASE_CONNECT_TIMEOUT_MS: '1000',
      DATABASE_STATEMENT_TIMEOUT_MS: '1000',
      SHUTDOWN_TIMEOUT_MS: '3000',
    })
    proxy[fault]()
    const account = credentials()
    const refused = post(server, '/auth/login', account)
    t.equal((await get(server, '/health/live')).status, 200)
    t.strictSame(await server.stop(), { code: 0, signal: null })
    t.equal((await refused).status, 503, 'what ran was still answered')
  })
}

test('a node that is replaced under load signs nobody out', async (t) => {
  const { url } = await createTestDatabase(t)
  const environment = { ...testEnvironment, DATABASE_URL: url }
  const [ending, staying] = await Promise.all([
    startServer(t, environment),
    startServer(t, environment),
  ])
  let stopped: Promise<Exit> | undefined
  const refresh = (token: string) => {
    const send = (server: ServerProcess) => post(server, '/refresh', { refresh_token: token })
    // What a balancer does: the other node, when the connection to this one breaks.
    return send(ending).catch(() => send(staying))
  }
  const statuses: number[] = []
  const goOn = async (first: string): Promise<void> => {
    let token = first
    for (let round = 0; round < 30; round += 1) {
      const answer = await refresh(token)
      statuses.push(answer.status)
      token = ((await answer.json()) as SignedIn).refresh_token
      if (statuses.length === 50) stopped = ending.stop()
    }
  }
  const people = await Promise.all(
    Array.from({ length: 10 }, () =>
      bodyOf<SignedIn>(post(staying, '/auth/register', credentials())),
    ),
  )
  await Promise.all(people.map(({ refresh_token: token }) => goOn(token)))
  t.strictSame(await stopped, { code: 0, signal: null })
  t.equal(statuses.length, 300)
  t.strictSame(new Set(statuses), new Set([200]))
})

/** `npm start` as a person runs it, in a process group of its own. */
const npmStart = async (t: Test) => {
  const { url: databaseUrl } = await createTestDatabase(t)
  const port = await freePort()
  const child = spawn('npm', ['start'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    detached: true,
    stdio: 'ignore',
    env: {
      ...process.env,
      ...testEnvironment,
      ...slowHashes,
      ISSUER: undefined,
      DATABASE_URL: databaseUrl,
      PORT: `${port}`,
      LOG_LEVEL: 'warn',
    },
  })
  const strike = noteProcess(child, { group: true })
  const group = -(child.pid ?? 0)
  t.teardown(() => {
    if (isAlive(group)) process.kill(group, 'SIGKILL')
    strike()
  })
  const url = `http://127.0.0.1:${port}`
  await waitUntil('npm start', () => get({ url }, '/health/ready').then(({ ok }) => ok), {
    timeoutMs: 60_000,
  })
  return { child, group, url }
}

const isAlive = (target: number): boolean => {
  try {
    return process.kill(target, 0)
  } catch {
    return false
  }
}

test('npm start: SIGTERM to npm ends the server and leaves no process', async (t) => {
  const { child, group, url } = await npmStart(t)
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  t.strictSame(await exit, [0, null])
  t.equal(await refusesConnections(url), true)
  await waitUntil('all of its processes to be gone', () => !isAlive(group))
})

test('npm start: Ctrl-C ends the server when it has finished what runs, and leaves no process', async (t) => {
  const { child, group, url } = await npmStart(t)
  const account = credentials()
  t.equal((await post({ url }, '/auth/register', account)).status, 201)
  const exit = once(child, 'exit')
  const running = Promise.all(
    Array.from({ length: 3 }, () => post({ url }, '/auth/login', account)),
  )
  await get({ url }, '/health/live')
  // A terminal signals all that run in it; npm passes the signal on as well.
  process.kill(group, 'SIGINT')
  t.strictSame(
    (await running).map(({ status }) => status),
    [200, 200, 200],
  )
  t.strictSame(await exit, [0, null])
  await waitUntil('all of its processes to be gone', () => !isAlive(group))
})
