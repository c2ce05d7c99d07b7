import type { LightMyRequestResponse } from 'fastify'
import { sql } from 'kysely'
import t, { type Test, test } from 'tap'
import { createMachine, outcomeOf, postForm } from '../endpoints/oauth/requests.ts'
import { startBehindProxy } from '../faults/faulty-database.ts'
import { refresh, tokenOf } from '../support/nodes.ts'
import { keptThroughKill, startPostgresServer } from '../support/postgres-server.ts'
import { register } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const graceSeconds = 3
const postgres = await startPostgresServer(t, { settings: keptThroughKill })
const { service, proxy, db } = await startBehindProxy(
  t,
  {
    REFRESH_GRACE_SECONDS: `${graceSeconds}`,
    DATABASE_CONNECT_TIMEOUT_MS: '500',
    DATABASE_STATEMENT_TIMEOUT_MS: '500',
  },
  postgres.url,
)
const { app, deps } = service
// For a connection, for a statement, a second more for the driver's own timeout; twice, because
// the authentication of a client may need the database too.
const longestWaitMs = 2 * (500 + 500 + 1000)

const person = await register(app)
const other = await register(app)
const known = await createMachine(deps, {
  grantTypes: ['client_credentials'],
  resourceServer: ['http://localhost:4000'],
})
const unknown = await createMachine(deps, { grantTypes: ['client_credentials'] })
const clientCredentials = (headers: Readonly<Record<string, string>>) =>
  postForm(app, '/token', { grant_type: 'client_credentials' }, headers)
const seen = await clientCredentials(known.headers)
if (seen.statusCode !== 200) throw new Error(seen.body)
const machineToken = seen.json<{ access_token: string }>().access_token

const bearer = { authorization: `Bearer ${person.access_token}` }
const post = (url: string, payload: object, headers: Readonly<Record<string, string>> = {}) =>
  app.inject({ method: 'POST', url, payload, headers })
const get = (url: string, headers: Readonly<Record<string, string>> = {}) =>
  app.inject({ method: 'GET', url, headers })

const { email, password, refresh_token: refreshToken, access_token: accessToken } = person
const newcomer = { email: 'newcomer@example.com', password: 'quite a different phrase' }
const firstParty = { client_id: 'first-party' }

/** Requests that need the database, by the format of their errors. */
const needy: Readonly<
  Record<'problem' | 'oauth', readonly (() => Promise<LightMyRequestResponse>)[]>
> = {
  problem: [
    () => post('/auth/register', newcomer),
    () => post('/auth/login', { email, password }),
    () => post('/auth/refresh', { refresh_token: refreshToken }),
    () => post('/refresh', { refresh_token: refreshToken }),
    () => post('/auth/logout', { refresh_token: refreshToken }),
    () => post('/auth/logout', {}, bearer),
    () => post('/auth/logout-all', {}, bearer),
    () => get('/auth/me', bearer),
    () => get('/auth/sessions', bearer),
  ],
  oauth: [
    () =>
      postForm(app, '/token', {
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
        ...firstParty,
      }),
    () => clientCredentials(unknown.headers),
    () => postForm(app, '/revoke', { token: refreshToken, ...firstParty }),
    () => postForm(app, '/revoke', { token: accessToken, ...firstParty }),
    () => postForm(app, '/introspect', { token: refreshToken }, known.headers),
  ],
}

const problem = {
  status: 503,
  type: 'application/problem+json; charset=utf-8',
  cache: 'no-store',
  retryAfter: '1',
  body: { code: 'unavailable' },
}
const oauthError = {
  status: 503,
  type: 'application/json; charset=utf-8',
  cache: 'no-store',
  retryAfter: '1',
  body: { error: 'temporarily_unavailable' },
}

/** How many users, sessions, families and revocations there are, and rotations there were. */
const state = async (): Promise<readonly number[]> => {
  const { rows } = await sql<{ counts: number[] }>`
    SELECT ARRAY[
      (SELECT count(*) FROM users), (SELECT count(*) FROM sessions),
      (SELECT count(*) FROM refresh_families), (SELECT count(*) FROM revocations),
      (SELECT sum(generation - 1) FROM refresh_families)]::int[] AS counts`.execute(db)
  return rows[0]?.counts ?? []
}

/** Asks all that needs the database at once, and checks that all of it is refused in time. */
const expectRefusals = async (t: Test): Promise<void> => {
  const started = performance.now()
  const [problems, errors] = await Promise.all([
    Promise.all(needy.problem.map((ask) => ask())),
    Promise.all(needy.oauth.map((ask) => ask())),
  ])
  t.ok(performance.now() - started < longestWaitMs, 'nobody waits longer than the timeouts')
  for (const answer of problems) t.match(outcomeOf(answer), problem)
  for (const answer of errors) t.match(outcomeOf(answer), oauthError)
}

const isRecovered = async (): Promise<boolean> =>
  (await post('/auth/login', { email, password })).statusCode === 200

test('while the database is down all that needs it is 503 at once, the rest works from memory', async (t) => {
  const lost = tokenOf(await refresh(service, other.refresh_token))
  const introspect = () => postForm(app, '/introspect', { token: machineToken }, known.headers)
  const before = await state()
  const stoppedAt = new Date()
  let startedAt = stoppedAt
  await postgres.stop()
  t.match((await introspect()).json(), { active: true }, 'what is known is fresh enough')
  await expectRefusals(t)

  await t.test('keys, metadata, liveness, known clients and own tokens', async (t) => {
    const fromMemory = [
      () => get('/.well-known/jwks.json'),
      () => get('/.well-known/oauth-authorization-server'),
      () => get('/health/live'),
      () => clientCredentials(known.headers),
      () => post('/auth/verify', { token: accessToken }),
    ]
    for (const ask of fromMemory) t.equal((await ask()).statusCode, 200)
  })

  await t.test('introspection from memory for two seconds only', async (t) => {
    const refused = await waitUntil('what is known to be too old', async () => {
      const answer = await introspect()
      return answer.statusCode === 200 ? undefined : answer
    })
    t.match(outcomeOf(refused), oauthError)
  })

  await t.test('readiness says degraded and names the database', async (t) => {
    const degraded = await waitUntil('readiness to notice', async () => {
      const answer = await get('/health/ready')
      return answer.json<{ status: string }>().status === 'degraded' && answer
    })
    t.equal(degraded.statusCode, 200)
    t.strictSame(degraded.json(), { status: 'degraded', database: 'down' })
  })

  await t.test('it recovers by itself within two seconds, and nothing was half done', async (t) => {
    const longEnoughMs = (graceSeconds + 2) * 1000
    await waitUntil(
      'an outage longer than the window',
      () => deps.revocations.stalenessMs() > longEnoughMs,
    )
    await postgres.start()
    startedAt = new Date()
    await waitUntil('the service to recover', isRecovered, { timeoutMs: 2000 })
    const signIn = [0, 1, 1, 0, 0]
    t.strictSame(
      await state(),
      before.map((count, index) => count + (signIn[index] ?? 0)),
      'but for the one sign-in that succeeded',
    )
    await waitUntil(
      'readiness to say so',
      async () => (await get('/health/ready')).json<{ status: string }>().status === 'ready',
      { timeoutMs: 2000 },
    )
  })

  await t.test(
    'a refresh whose window passed meanwhile is still a retry, and only for as long',
    async (t) => {
      t.equal(tokenOf(await refresh(service, other.refresh_token)), lost)
      // A machine that is busy beside the tests may fall silent by itself, before or after.
      const outages = await db
        .selectFrom('outages')
        .selectAll()
        .where('started_at', '<', startedAt)
        .where('ended_at', '>', stoppedAt)
        .execute()
      t.equal(outages.length, 1, 'recorded once')
      const [outage] = outages
      const lengthMs = Number(outage?.ended_at) - Number(outage?.started_at)
      t.ok(lengthMs > graceSeconds * 1000, `${lengthMs} ms`)
      service.moveTime(graceSeconds + 1)
      t.match(await refresh(service, other.refresh_token), {
        status: 401,
        body: { code: 'reused_refresh_token' },
      })
    },
  )
})

test('while the database does not answer nobody waits longer than the timeouts', async (t) => {
  proxy.hold()
  await expectRefusals(t)
  const started = performance.now()
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, device) =>
      post('/refresh', { refresh_token: refreshToken }, { 'user-agent': `device ${device}` }),
    ),
  )
  t.ok(performance.now() - started < longestWaitMs, 'not one after the other in one family either')
  for (const answer of answers) t.match(outcomeOf(answer), problem)
  t.equal((await get('/.well-known/jwks.json')).statusCode, 200)
  proxy.restore()
  await waitUntil('the service to recover', isRecovered, { timeoutMs: 2000 })
})

test('connections that silently went dead are found out and replaced', async (t) => {
  const ask = async () => (await get('/auth/me', bearer)).statusCode
  const askOnEveryConnection = async () =>
    new Set(await Promise.all(Array.from({ length: 10 }, ask)))
  t.strictSame(await askOnEveryConnection(), new Set([200]))
  proxy.strand()
  t.strictSame(await askOnEveryConnection(), new Set([503]), 'each of them is dead')
  t.strictSame(await askOnEveryConnection(), new Set([200]), 'and none is used again')
})

test('connections that the database ends while they are idle are replaced unnoticed', async (t) => {
  const { rows } = await sql<{ ended: boolean }>`
    SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()`.execute(db)
  t.ok(rows.length > 0 && rows.every(({ ended }) => ended))
  await waitUntil('the service to recover', isRecovered, { timeoutMs: 2000 })
})
