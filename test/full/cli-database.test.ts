import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { decodeProtectedHeader } from 'jose'
import t from 'tap'
import { cheapSettings, runCli } from '../cli/run-cli.ts'
import { createEmptyDatabase } from '../support/database.ts'
import { freePort } from '../support/free-port.ts'
import { createTestRedis } from '../support/redis.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { startServer } from '../support/server-process.ts'
import { register, startService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const { url } = await createEmptyDatabase(t)
const env = {
  ...cheapSettings,
  DATABASE_URL: url,
  KEY_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  DATA_DIR: join(temporaryFolder('database'), 'data'),
}

const json = async (words: readonly string[]): Promise<unknown> => {
  const { code, stdout, stderr } = await runCli([...words, '--json'], env)
  if (code !== 0 || stderr !== '') throw new Error(`exit ${code}: ${stderr}`)
  return JSON.parse(stdout)
}

type Status = { state: string; applied: string[]; pending: string[] }

t.test('migrate brings an empty database up to date, and says where it stands', async (t) => {
  const before = (await json(['migrate', '--status'])) as Status
  t.strictSame({ ...before, pending: [] }, { state: 'behind', applied: [], pending: [] })
  const names = before.pending
  t.ok(names.length > 0)
  t.strictSame(await runCli(['migrate', '--status'], env), {
    code: 0,
    stdout: ['State: behind', ...names.map((name) => `  pending  ${name}`), ''].join('\n'),
    stderr: '',
  })
  t.strictSame(await runCli(['users', 'list'], { ...env, MIGRATE_ON_START: 'false' }), {
    code: 1,
    stdout: '',
    stderr:
      'The schema of the database is older than this version of Tessera: run `tessera migrate`, or start with MIGRATE_ON_START=true\n',
  })
  t.strictSame(await runCli(['migrate'], env), {
    code: 0,
    stdout: names.map((name) => `applied  ${name}\n`).join(''),
    stderr: '',
  })
  t.strictSame(await json(['migrate']), { applied: [] })
  const last = names.at(-1)
  t.strictSame(await json(['migrate', '--undo']), { undone: [last] })
  t.strictSame(await json(['migrate']), { applied: [last] })
  t.strictSame(await json(['migrate', '--status']), {
    state: 'current',
    applied: names,
    pending: [],
  })
})

t.test('commands work on the database itself, and a server there follows', async (t) => {
  const server = await startServer(t, env)
  const { client_id, client_secret } = (await json([
    ...['clients', 'create', '--name', 'billing'],
  ])) as { client_id: string; client_secret: string }
  const requestToken = () =>
    fetch(`${server.url}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
  t.equal((await requestToken()).status, 200)
  await json(['clients', 'disable', client_id])
  await waitUntil('the server to refuse the client', async () => {
    const { status } = await requestToken()
    return status === 401
  })
})

t.test('with Redis a command is heard by the servers before they would ask', async (t) => {
  const { url } = await createEmptyDatabase(t)
  const redis = await createTestRedis(t)
  const shared = {
    ...env,
    DATABASE_URL: url,
    REDIS_URL: redis.url,
    ISSUER: `https://${randomUUID()}.example`,
  }
  const server = await startServer(t, shared)
  const run = async (...words: string[]) =>
    JSON.parse((await runCli([...words, '--json'], shared)).stdout)
  const { client_id, client_secret } = await run('clients', 'create', '--name', 'billing')
  const signedWith = async (): Promise<unknown> => {
    const response = await fetch(`${server.url}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
    const { access_token } = (await response.json()) as { access_token: string }
    return decodeProtectedHeader(access_token).alg
  }
  t.equal(await signedWith(), 'RS256')
  await run('audiences', 'set', shared.ISSUER, '--algorithm', 'ES256')
  await waitUntil('the server to follow', async () => (await signedWith()) === 'ES256')
})

t.test(
  'unlock reaches the counts of the servers by Redis, and says so where it cannot',
  async (t) => {
    const redis = await createTestRedis(t)
    // However busy the machine is: a Redis that is too slow would be counted without.
    const shared = { REDIS_URL: redis.url, REDIS_COMMAND_TIMEOUT_MS: '10000' }
    const { app, deps, databaseUrl, config } = await startService(t, shared)
    await waitUntil('Redis', async () => {
      const { redis } = (await app.inject('/health/ready')).json<{ redis: string }>()
      return redis === 'up'
    })
    const { email, password } = await register(app)
    const attempt = (typed: string) => deps.accounts.signIn({ email }, typed, {})
    for (let time = 0; time < 5; time += 1) t.equal(await attempt('guess'), undefined)
    await t.rejects(attempt(password), { code: 'too_many_attempts' })
    const command = { ...env, DATABASE_URL: databaseUrl, ISSUER: config.issuer }
    const alone = await runCli(['users', 'unlock', email], command)
    t.match(alone, { code: 1, stdout: '', stderr: /^Without REDIS_URL .*out of reach/ })
    await t.rejects(attempt(password), { code: 'too_many_attempts' })
    const joined = await runCli(['users', 'unlock', email], { ...command, ...shared })
    t.match(joined, { code: 0, stderr: '' })
    t.ok(await attempt(password))
  },
)

t.test('a database that does not answer is said in one sentence', async (t) => {
  const dead = `postgres://postgres@127.0.0.1:${await freePort()}/postgres`
  for (const words of [['users', 'list'], ['migrate']]) {
    t.strictSame(await runCli(words, { ...env, DATABASE_URL: dead }), {
      code: 1,
      stdout: '',
      stderr: 'The database does not answer: nothing was done, try again\n',
    })
  }
})

t.test('an environment that is not usable is said whole, and values stay secret', async (t) => {
  const { code, stdout, stderr } = await runCli(['users', 'list'], {
    ...env,
    NODE_ENV: 'production',
    DATABASE_URL: 'mysql://root:geheim@db/x',
  })
  t.strictSame({ code, stdout }, { code: 1, stdout: '' })
  t.match(stderr, 'ISSUER is required in production')
  t.match(stderr, 'DATABASE_URL must be a postgres:// URL')
  t.notMatch(stderr, 'geheim')
})

t.test(
  'a command with another issuer than the service leaves the built-in client alone',
  async (t) => {
    const service = await startService(t)
    const command = { ...env, DATABASE_URL: service.databaseUrl, ISSUER: 'http://elsewhere:9' }
    const { code, stdout } = await runCli(['clients', 'show', 'first-party', '--json'], command)
    t.equal(code, 0)
    t.match(JSON.parse(stdout), { client_id: 'first-party', audience: [service.config.issuer] })
  },
)
