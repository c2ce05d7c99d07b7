import { sql } from 'kysely'
import { Client } from 'pg'
import t, { type Test, test } from 'tap'
import { connectPostgres } from '../../src/stores/postgres/database.ts'
import { cheapSettings, runCli } from '../cli/run-cli.ts'
import { createEmptyDatabase } from '../support/database.ts'
import { startPooler } from '../support/pgbouncer.ts'
import { fastSettings, startPostgresServer } from '../support/postgres-server.ts'
import { startServer } from '../support/server-process.ts'
import { testEnvironment } from '../support/service.ts'
import { poolOptions } from '../support/sql-backends.ts'
import { waitUntil } from '../support/wait-until.ts'
import { isAccepted, post, postForm, refresh, register, revoke, tokensOf } from './wire.ts'

const postgres = await startPostgresServer(t, { settings: fastSettings })

/** A service behind a pooler, on a database that is empty. */
const start = async (t: Test, { direct }: { direct: boolean }) => {
  const { url } = await createEmptyDatabase(t, postgres.url)
  const pooler = await startPooler(t, url)
  const environment = {
    ...testEnvironment,
    DATABASE_URL: pooler.url,
    ...(direct ? { DATABASE_DIRECT_URL: url } : {}),
  }
  const server = await startServer(t, environment)
  return { server, pooler, environment, databaseUrl: url }
}

const newMachine = async (environment: Readonly<Record<string, string>>) => {
  const words = ['clients', 'create', '--name', 'Machine', '--grant', 'client_credentials']
  const { code, stdout, stderr } = await runCli([...words, '--json'], {
    ...environment,
    ...cheapSettings,
  })
  if (code !== 0) throw new Error(stderr)
  const { client_id: id, client_secret: secret } = JSON.parse(stdout)
  return { id, secret } as { id: string; secret: string }
}

/** Whose connections reach the server: those of the pooler, which has no name of its own. */
const backends = async (databaseUrl: string): Promise<number> => {
  const client = new Client({ connectionString: databaseUrl, application_name: 'counter' })
  await client.connect()
  try {
    const { rows } = await client.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM pg_stat_activity
       WHERE datname = current_database() AND application_name <> 'counter'`,
    )
    return rows[0]?.count ?? 0
  } finally {
    await client.end()
  }
}

for (const direct of [true, false]) {
  const way = direct ? 'past it' : 'through it'
  test(`behind a transaction-mode pooler, migrated ${way}, all of the service works`, async (t) => {
    const { server, environment, databaseUrl } = await start(t, { direct })
    const person = await register(server)
    const { email, password } = person

    const login = await post(server, '/auth/login', { email, password })
    t.equal(login.status, 200)
    t.equal(await isAccepted(server, tokensOf(login).access), true)

    const answers = await Promise.all(
      Array.from({ length: 20 }, () => refresh(server, person.refresh)),
    )
    t.strictSame(
      answers.map(({ status }) => status),
      answers.map(() => 200),
    )
    const successors = new Set(answers.map((answer) => tokensOf(answer).refresh))
    t.equal(successors.size, 1, '20 refreshes of one token have one successor')
    const [successor = ''] = successors
    const next = tokensOf(await refresh(server, successor))

    t.equal((await revoke(server, next.refresh)).status, 200)
    t.equal(await isAccepted(server, next.access), false)
    t.match(await refresh(server, next.refresh), {
      status: 401,
      body: { code: 'revoked_refresh_token' },
    })

    const machine = await newMachine(environment)
    const grant = await postForm(server, '/token', { grant_type: 'client_credentials' }, machine)
    t.match(grant, { status: 200, body: { token_type: 'Bearer', expires_in: 900 } })

    const families = await Promise.all(Array.from({ length: 30 }, () => register(server)))
    const refreshed = await Promise.all(families.map((each) => refresh(server, each.refresh)))
    t.strictSame(new Set(refreshed.map(({ status }) => status)), new Set([200]))
    t.ok((await backends(databaseUrl)) <= 5, 'and shares the connections of the pooler')
  })
}

test('a second node starts behind the pooler while the first one works', async (t) => {
  const { server, environment } = await start(t, { direct: false })
  const person = await register(server)
  const second = await startServer(t, environment)
  const next = tokensOf(await refresh(second, person.refresh))
  t.equal(await isAccepted(server, next.access), true)
  t.equal((await revoke(server, next.refresh)).status, 200)
  await waitUntil('the other node', async () => !(await isAccepted(second, next.access)), {
    timeoutMs: 2000,
  })
})

test('when the pooler dies the service is 503, and two seconds after its return it works', async (t) => {
  const { server, pooler } = await start(t, { direct: true })
  const person = await register(server)
  const lost = tokensOf(await refresh(server, person.refresh))

  await pooler.kill()
  const refused = await refresh(server, lost.refresh)
  t.match(refused, { status: 503, body: { code: 'unavailable' } })
  t.equal(refused.headers.get('retry-after'), '1')
  t.equal((await fetch(`${server.url}/.well-known/jwks.json`)).status, 200)

  await pooler.start()
  const retried = await waitUntil(
    'the service to recover',
    async () => {
      const answer = await refresh(server, person.refresh)
      return answer.status === 200 && answer
    },
    { timeoutMs: 2000 },
  )
  t.equal(tokensOf(retried).refresh, lost.refresh, 'nothing was rotated meanwhile')
  t.equal((await refresh(server, lost.refresh)).status, 200)
  t.strictSame(
    server.log().filter(({ level }) => Number(level) >= 50),
    [],
    'no error is logged',
  )
})

test('time limits of the role hold where the pooler lets none be sent', async (t) => {
  const { url } = await createEmptyDatabase(t, postgres.url)
  const admin = new Client({ connectionString: url })
  await admin.connect()
  t.teardown(() => admin.end())
  const name = new URL(url).pathname.slice(1)
  await admin.query(`ALTER ROLE postgres IN DATABASE "${name}" SET statement_timeout = '4s'`)
  // Only now: the pooler keeps the connections that it has, and the limits are read at their start.
  const pooler = await startPooler(t, url)

  const limits = async (at: string) => {
    const db = await connectPostgres(at, poolOptions, () => {})
    const { rows } = await sql<{ statement_timeout: string }>`SHOW statement_timeout`.execute(db)
    await db.destroy()
    return rows[0]?.statement_timeout
  }
  t.equal(await limits(url), '5s', "directly: the service's own")
  t.equal(await limits(pooler.url), '4s', "through the pooler: the role's")
})

test('nothing is prepared through a pooler, not even one that takes every setting', async (t) => {
  const { url } = await createEmptyDatabase(t, postgres.url)
  const timeouts = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']
  const pooler = await startPooler(t, url, [...timeouts, 'options'])
  const db = await connectPostgres(pooler.url, poolOptions, () => {})
  t.teardown(() => db.destroy())
  const values = Array.from({ length: 200 }, (_, index) => index)
  const answers = await Promise.all(
    values.map(async (value) => {
      const { rows } = await sql<{ value: number }>`SELECT ${value}::int AS value`.execute(db)
      return rows[0]?.value
    }),
  )
  t.strictSame(answers, values)
  const { rows } = await sql`SELECT name FROM pg_prepared_statements`.execute(db)
  t.strictSame(rows, [])
})
