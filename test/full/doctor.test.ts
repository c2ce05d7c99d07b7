import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type AddressInfo, connect as connectTo, createServer } from 'node:net'
import { Redis } from 'ioredis'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import type { Finding } from '../../src/cli/doctor/finding.ts'
import { examineClock, examineVersion } from '../../src/cli/doctor/server.ts'
import { loadConfig } from '../../src/config.ts'
import { runCli, runInProcess } from '../cli/run-cli.ts'
import { serve } from '../cli/served.ts'
import { createEmptyDatabase } from '../support/database.ts'
import { freePort } from '../support/free-port.ts'
import { startRedisServer } from '../support/redis-server.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { connect, startService, testEnvironment } from '../support/service.ts'

type Environment = Record<string, string>
type Diagnosis = { readonly healthy: boolean; readonly findings: readonly Finding[] }

const examine = async (t: Test, environment: Environment): Promise<Diagnosis> => {
  const readConfig = () => loadConfig({ ...testEnvironment, ...environment }, () => '')
  const { code, stdout, stderr } = await runInProcess(['doctor', '--json'], readConfig)
  const diagnosis = JSON.parse(stdout) as Diagnosis
  t.equal(code, diagnosis.healthy ? 0 : 1, 'the exit code says the same')
  t.equal(stderr === '', diagnosis.healthy)
  for (const { status, advice } of diagnosis.findings)
    t.equal(advice === undefined, status === 'ok')
  return diagnosis
}

/** Everything that is not as it should be, but for the issuer, under which nothing runs here. */
const faultsIn = ({ findings }: Diagnosis) =>
  findings
    .filter(({ status, check }) => status !== 'ok' && check !== 'issuer')
    .map(({ check, status, message }) => `${status} ${check}: ${message}`)

/** The service's database, with its keys, and what to reach it with. */
const start = async (t: Test) => {
  const service = await startService(t)
  const db = await connect(t, service)
  const look = (environment: Environment = {}) =>
    examine(t, { DATABASE_URL: service.databaseUrl, ...environment })
  return { db, look, databaseUrl: service.databaseUrl }
}

t.test('a service that lacks nothing is healthy', async (t) => {
  const port = await freePort()
  const ISSUER = `http://127.0.0.1:${port}`
  const { app, databaseUrl } = await startService(t, { ISSUER })
  await app.listen({ port, host: '127.0.0.1' })
  const redis = await startRedisServer(t)
  const diagnosis = await examine(t, { DATABASE_URL: databaseUrl, REDIS_URL: redis.url, ISSUER })
  t.equal(diagnosis.healthy, true)
  t.strictSame(
    diagnosis.findings.map(({ check, status }) => `${status} ${check}`),
    ['configuration', 'database', 'clock', 'migrations', 'keys', 'redis', 'issuer'].map(
      (check) => `ok ${check}`,
    ),
  )
})

t.test('for people it is a line for each check, with what to do below', async (t) => {
  const readConfig = () => loadConfig({ ...testEnvironment, PORT: 'x', WORKERS: '0' }, () => '')
  const { code, stdout, stderr } = await runInProcess(['doctor'], readConfig)
  t.equal(code, 1)
  t.match(
    stdout,
    /^FAILED {2}configuration: PORT must be .*\n +→ Correct the variable.*\nFAILED .*\n/,
  )
  t.equal(stderr, '2 of 2 checks failed\n')
})

t.test('a database that does not answer', async (t) => {
  const url = 'postgres://someone:hunter2@127.0.0.1:1/x'
  const diagnosis = await examine(t, { DATABASE_URL: url })
  t.strictSame(faultsIn(diagnosis), [
    'failed database: PostgreSQL cannot be used: connect ECONNREFUSED 127.0.0.1:1',
  ])
  t.notMatch(JSON.stringify(diagnosis), 'hunter2')
})

t.test('a database that only reads', async (t) => {
  const { db, look, databaseUrl } = await start(t)
  const name = new URL(databaseUrl).pathname.slice(1)
  await sql`ALTER DATABASE ${sql.id(name)} SET default_transaction_read_only = on`.execute(db)
  t.match(faultsIn(await look()), ['failed database writes: The database takes no writes'])
})

t.test('a database that is too old', async (t) => {
  const facts = { version: 140_012, version_text: '14.12', read_only: false }
  t.match(examineVersion(facts), [{ status: 'failed', message: 'PostgreSQL 14.12 is too old' }])
  t.match(examineVersion({ ...facts, version: 150_000 }), [{ status: 'ok' }])
})

t.test('a schema that is behind: a failure where the start may not migrate', async (t) => {
  const { url: DATABASE_URL } = await createEmptyDatabase(t)
  t.match(faultsIn(await examine(t, { DATABASE_URL })), [
    /^warning migrations: The schema lacks \d+/,
  ])
  const forbidden = await examine(t, { DATABASE_URL, MIGRATE_ON_START: 'false' })
  t.match(faultsIn(forbidden), [/^failed migrations: The schema of the database is older/])
  t.match(forbidden.findings.find(({ check }) => check === 'migrations')?.advice, 'tessera migrate')
})

t.test('a schema that another version has made', async (t) => {
  const { db, look } = await start(t)
  await sql`INSERT INTO kysely_migration (name, timestamp) VALUES ('2999', '')`.execute(db)
  t.match(faultsIn(await look()), [/^failed migrations: .*does not know/])
})

t.test('more connections than the server has', async (t) => {
  const { look } = await start(t)
  t.match(faultsIn(await look({ DATABASE_POOL_SIZE: '1000', WORKERS: '200' })), [
    /^warning database connections: This node alone may open 200000 connections/,
  ])
})

t.test('keys that cannot be opened', async (t) => {
  const { look } = await start(t)
  const other = Buffer.alloc(32, 99).toString('base64')
  t.match(faultsIn(await look({ KEY_ENCRYPTION_KEY: other })), [
    /^failed keys: A key cannot be opened/,
  ])
})

t.test('keys that wait to be sealed again', async (t) => {
  const { look } = await start(t)
  const newest = Buffer.alloc(32, 99).toString('base64')
  const keys = `${newest},${testEnvironment.KEY_ENCRYPTION_KEY}`
  t.strictSame(faultsIn(await look({ KEY_ENCRYPTION_KEY: keys })), [
    'warning key encryption: 10 keys are sealed under another than the newest key-encryption key',
  ])
})

t.test('an algorithm without a next key, and one without a key that signs', async (t) => {
  const { db, look } = await start(t)
  await sql`DELETE FROM signing_keys WHERE algorithm = 'ES256' AND sign_from IS NULL`.execute(db)
  await sql`DELETE FROM signing_keys WHERE algorithm = 'EdDSA' AND sign_from IS NOT NULL`.execute(
    db,
  )
  t.strictSame(faultsIn(await look()).sort(), [
    'failed keys: No EdDSA key signs',
    'failed keys: No next ES256 key is published',
  ])
})

t.test('a rotation that does not happen', async (t) => {
  const { db, look } = await start(t)
  await sql`UPDATE signing_keys SET published_at = now() - interval '40 days',
    sign_from = now() - interval '40 days' WHERE algorithm = 'PS256' AND sign_from IS NOT NULL`.execute(
    db,
  )
  const expected =
    'failed keys: The PS256 key has signed for 40 days, and was due to be replaced after 30'
  t.strictSame(faultsIn(await look()), [expected])
  t.strictSame(faultsIn(await look({ KEY_ROTATION_DAYS: '0' })), [], 'none is due')
})

t.test('a clock that is wrong', async (t) => {
  const { databaseUrl } = await start(t)
  const code = 'const now = Date.now; Date.now = () => now() + 300000'
  const { code: exit, stdout } = await runCli(['doctor'], {
    ...testEnvironment,
    DATABASE_URL: databaseUrl,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}`,
  })
  t.equal(exit, 1)
  t.match(stdout, /FAILED {2}clock: The clock of this machine is (300|299\.\d) s ahead of that/)
  t.match(examineClock(2500), [{ status: 'warning', message: /2\.5 s behind/ }])
  t.match(examineClock(-1900), [{ status: 'ok' }])
})

/** A server as it looks from far away. @returns the port at which every answer takes its time. */
const farFrom = async (t: Test, port: number): Promise<number> => {
  const server = createServer((socket) => {
    const target = connectTo(port, '127.0.0.1')
    socket.pipe(target)
    target.on('data', (data) => setTimeout(() => socket.write(data), 150))
    for (const end of [socket, target]) {
      end.on('error', () => {})
      end.on('close', () => [socket, target].map((other) => other.destroy()))
    }
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

t.test('Redis that is down, slow or forgets', async (t) => {
  const { look } = await start(t)
  const redis = await startRedisServer(t)
  const REDIS_URL = redis.url
  const admin = new Redis(REDIS_URL)
  t.teardown(() => admin.disconnect())

  await admin.config('SET', 'maxmemory-policy', 'allkeys-lru')
  t.strictSame(faultsIn(await look({ REDIS_URL })), [
    'failed redis memory: Redis may evict keys before their time: its maxmemory-policy is allkeys-lru',
  ])
  await admin.config('SET', 'maxmemory-policy', 'noeviction')
  const far = `redis://127.0.0.1:${await farFrom(t, redis.port)}`
  t.match(faultsIn(await look({ REDIS_URL: far })), [/^warning redis latency: Redis took \d+ ms/])
  await redis.kill()
  t.match(faultsIn(await look({ REDIS_URL })), [/^failed redis: Redis cannot be used/])
})

t.test('an issuer that leads to another service', async (t) => {
  const port = await freePort()
  const { app, databaseUrl } = await startService(t, { ISSUER: 'http://other.example' })
  await app.listen({ port, host: '127.0.0.1' })
  const ISSUER = `http://127.0.0.1:${port}`
  const { findings } = await examine(t, { DATABASE_URL: databaseUrl, ISSUER })
  t.match(findings.at(-1), {
    status: 'failed',
    message: `What answers at ${ISSUER} calls itself http://other.example`,
  })
  const wrongPath = await examine(t, { DATABASE_URL: databaseUrl, ISSUER: `${ISSUER}/auth` })
  t.match(wrongPath.findings.at(-1), { status: 'failed', message: /no metadata \(status 404\)/ })
})

t.test('an issuer under which nothing runs is no failure', async (t) => {
  const { look } = await start(t)
  const diagnosis = await look({ ISSUER: 'http://127.0.0.1:1' })
  t.equal(diagnosis.healthy, true)
  t.match(diagnosis.findings.at(-1), { check: 'issuer', status: 'warning' })
})

t.test('the embedded mode, through the server that runs', async (t) => {
  const { run } = await serve(t)
  const { code, stdout } = await run(['doctor', '--json'])
  t.equal(code, 0)
  const { findings } = JSON.parse(stdout) as Diagnosis
  t.match(
    findings.map(({ check, status }) => `${status} ${check}`),
    [
      'ok configuration',
      'ok data folder',
      'ok migrations',
      'ok keys',
      'ok redis',
      'warning issuer',
    ],
  )
})

t.test('the embedded mode before its first start: nothing is made', async (t) => {
  const DATA_DIR = temporaryFolder('doctor')
  const { findings } = await examine(t, { DATA_DIR })
  t.match(findings[1], { check: 'data folder', status: 'ok', message: /has no data yet/ })
  t.equal(existsSync(`${DATA_DIR}/postgres`), false)
})
