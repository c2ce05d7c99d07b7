import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { createTestDatabase } from '../support/database.ts'
import { freePort } from '../support/free-port.ts'
import { halfRequest } from '../support/half-request.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { spawnServer, startServer } from '../support/server-process.ts'
import { testEnvironment, testKeyEncryptionKey } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const run = promisify(execFile)

/** Small keys and cheap passwords, with the issuer that follows from the port. */
const { ISSUER: _, KEY_ENCRYPTION_KEY: __, ...cheap } = testEnvironment

/** A service on a real PostgreSQL: it starts faster than the embedded one. */
const onPostgres = async (t: Test) => ({
  ...cheap,
  DATABASE_URL: (await createTestDatabase(t)).url,
  KEY_ENCRYPTION_KEY: testKeyEncryptionKey,
})

const curlLines = (output: string): string[] =>
  output.split('\n').filter((line) => /^(TOKENS=|curl )/.test(line))

t.test(
  'the first start prints lines that work, and what they made survives a restart',
  async (t) => {
    const folder = temporaryFolder('server')
    const env = { ...cheap, PORT: String(await freePort()) }
    const first = await startServer(t, env, { folder })
    await waitUntil('the banner', () => first.output().includes('API page'))
    const lines = curlLines(first.output())
    t.equal(lines.length, 3)
    t.match(first.output(), `Issuer:   http://localhost:${first.port}\n`)
    t.match(first.output(), `API page: http://localhost:${first.port}/docs\n`)

    // As pasted: register, who am I, refresh.
    const { stdout } = await run('sh', ['-c', lines.join('\n')])
    const [registered, me, refreshed] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    t.match(registered, { token_type: 'Bearer', user: { email: /^jo-\d+@example\.com$/ } })
    t.equal(me.id, registered.user.id)
    t.match(refreshed, { token_type: 'Bearer' })
    t.not(refreshed.refresh_token, registered.refresh_token)

    // The data have one owner.
    const second = spawnServer({ ...cheap, PORT: '0' }, folder)
    t.same(await second.exit, { code: 1, signal: null })
    t.match(second.output(), /^Tessera cannot start:\n {2}- .*in use/m)
    t.notMatch(second.output(), /\n\s+at /)

    t.same(await first.stop(), { code: 0, signal: null })
    const third = await startServer(t, env, { folder })
    const again = await fetch(`${third.url}/auth/me`, {
      headers: { authorization: `Bearer ${refreshed.access_token}` },
    })
    t.equal(again.status, 200)
    t.match(await again.json(), { id: registered.user.id })
  },
)

t.test('with PORT=0 the issuer and the address name the port that was found', async (t) => {
  const server = spawnServer({ ...(await onPostgres(t)), PORT: '0' })
  t.teardown(() => server.kill())
  const issuer = await waitUntil(
    'the banner',
    () => /Issuer: {3}(http:\/\/localhost:[1-9]\d+)\n/.exec(server.output())?.[1],
  )
  const keys = await fetch(`${issuer.replace('localhost', '127.0.0.1')}/.well-known/jwks.json`)
  t.equal(keys.status, 200)
  t.match(server.output(), `API page: ${issuer}/docs`)
})

t.test('production prints no banner: standard output is the log alone', async (t) => {
  const server = await startServer(t, {
    ...(await onPostgres(t)),
    NODE_ENV: 'production',
    ISSUER: 'https://auth.example.com',
  })
  // Lines of the log wait for each other a moment.
  await waitUntil('the last line', () => server.log().some(({ msg }) => msg === 'started'))
  const lines = server.output().trim().split('\n')
  t.equal(server.log().length, lines.length)
  t.match(server.log().at(-1), { issuer: 'https://auth.example.com', mode: 'server' })
})

t.test('a closed registration is not advertised', async (t) => {
  const server = await startServer(t, { ...(await onPostgres(t)), REGISTRATION: 'closed' })
  await waitUntil('the banner', () => server.output().includes('API page'))
  t.same(curlLines(server.output()), [])
})

const startFailures: Record<string, { env: Record<string, string>; sentences: RegExp[] }> = {
  'production without anything': {
    env: { NODE_ENV: 'production', PORT: 'x' },
    sentences: [
      /PORT must be/,
      /ISSUER is required/,
      /DATABASE_URL is required/,
      /KEY_ENCRYPTION_KEY or KEY_ENCRYPTION_KEY_FILE is required/,
    ],
  },
  'a database that does not answer': {
    env: {
      DATABASE_URL: 'postgres://someone:hunter2@127.0.0.1:1/x',
      KEY_ENCRYPTION_KEY: testKeyEncryptionKey,
    },
    sentences: [/the database does not answer: connect ECONNREFUSED 127\.0\.0\.1:1/],
  },
}

for (const [name, { env, sentences }] of Object.entries(startFailures)) {
  t.test(`a start that cannot be says why, in sentences, and exits with 1: ${name}`, async (t) => {
    const server = spawnServer(env)
    t.same(await server.exit, { code: 1, signal: null })
    const [title, ...reasons] = server.output().trim().split('\n')
    t.equal(title, 'Tessera cannot start:')
    t.equal(reasons.length, sentences.length)
    for (const [index, sentence] of sentences.entries()) t.match(reasons[index], sentence)
    t.notMatch(server.output(), /hunter2|\n\s+at /)
  })
}

t.test('a port that is taken is told, and nothing is left open', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  t.teardown(() => other.close())
  await waitUntil('the other program', () => other.listening)
  const { port } = other.address() as { port: number }
  const server = spawnServer({ ...(await onPostgres(t)), PORT: String(port) })
  t.same(await server.exit, { code: 1, signal: null })
  t.match(server.output(), `  - Port ${port} is in use: end what listens there, or set PORT`)
})

t.test('an address of another machine is told', async (t) => {
  const server = spawnServer({ ...(await onPostgres(t)), HOST: '192.0.2.1' })
  t.same(await server.exit, { code: 1, signal: null })
  t.match(server.output(), '  - HOST is not an address of this machine\n')
})

t.test('keys sealed by another key-encryption key are told, not overwritten', async (t) => {
  const env = await onPostgres(t)
  await (await startServer(t, env)).stop()
  const other = Buffer.alloc(32, 9).toString('base64')
  const server = spawnServer({ ...env, KEY_ENCRYPTION_KEY: other, PORT: '0' })
  t.same(await server.exit, { code: 1, signal: null })
  t.match(server.output(), /^Tessera cannot start:\n {2}- .*KEY_ENCRYPTION_KEY/m)
  t.notMatch(server.output(), other)
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal} lets a running request end, then exits with 0`, async (t) => {
    // The time is more than the test has: nothing may wait for it to be over.
    const env = { ...(await onPostgres(t)), SHUTDOWN_TIMEOUT_MS: '3600000' }
    const server = await startServer(t, env)
    const { closed, finish } = await halfRequest(server.port)

    const stopped = server.stop(signal)
    await waitUntil('the signal', () => server.log().some(({ msg }) => msg === 'stopping'))
    const refused = await fetch(`${server.url}/health/live`).catch((error: Error) => error)
    t.match(refused, Error, 'nothing new is taken')
    finish()

    t.match(await closed, /HTTP\/1\.1 401 Unauthorized[\s\S]*\nconnection: close/)
    t.same(await stopped, { code: 0, signal: null })
    t.match(server.log().at(-1), { msg: 'stopped' })
  })
}

t.test('a request that does not end is cut off when its time is over', async (t) => {
  const server = await startServer(t, { ...(await onPostgres(t)), SHUTDOWN_TIMEOUT_MS: '300' })
  const { closed } = await halfRequest(server.port)
  t.same(await server.stop(), { code: 0, signal: null })
  t.notMatch(await closed, /HTTP\/1\.1 [2345]/)
  t.ok(server.log().some(({ msg }) => /cut off/.test(String(msg))))
})

t.test('Ctrl-C is heard twice, and is one wish to end', async (t) => {
  const server = await startServer(t, await onPostgres(t))
  const { closed, finish } = await halfRequest(server.port)
  const stopped = server.stop('SIGINT')
  await waitUntil('the signal', () => server.log().some(({ msg }) => msg === 'stopping'))
  process.kill(server.pid, 'SIGINT')
  // Comes to be read after the signal, and a password takes longer than that.
  finish()
  t.match(await closed, /HTTP\/1\.1 401 Unauthorized/)
  t.same(await stopped, { code: 0, signal: null })
})

t.test('whoever goes on asking does not wait', async (t) => {
  const server = await startServer(t, { ...(await onPostgres(t)), SHUTDOWN_TIMEOUT_MS: '60000' })
  await halfRequest(server.port)
  const ended = server.stop()
  let exit: unknown
  void ended.then((how) => {
    exit = how
  })
  await waitUntil('the end', () => exit ?? !process.kill(server.pid, 'SIGTERM'))
  t.same(await ended, { code: 1, signal: null })
})

t.test('readiness turns to draining on a connection that is still open', async (t) => {
  const server = await startServer(t, await onPostgres(t))
  const { closed, finish } = await halfRequest(server.port)
  const kept = connect(server.port, '127.0.0.1').setEncoding('utf8')
  let answer = ''
  kept.on('data', (text: string) => {
    answer += text
  })
  // A head that is half sent keeps the connection from counting as idle. Once a later request has
  // been answered, the half has been read.
  kept.write('GET /health/ready HTTP/1.1\r\nHost: localhost\r\n')
  await once(kept, 'connect')
  await fetch(`${server.url}/health/live`)
  const stopped = server.stop()
  await waitUntil('the signal', () => server.log().some(({ msg }) => msg === 'stopping'))
  kept.write('\r\n')
  await waitUntil('the answer', () => answer.includes('draining'))
  t.match(answer, /^HTTP\/1\.1 503 /)
  t.match(answer, /connection: close/i)
  finish()
  await closed
  t.same(await stopped, { code: 0, signal: null })
})
