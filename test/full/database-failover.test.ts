import { type Test, test } from 'tap'
import { postForm } from '../endpoints/oauth/requests.ts'
import { isAccepted, refresh, tokenOf } from '../support/nodes.ts'
import { type PostgresPair, startPostgresPair } from '../support/postgres-standby.ts'
import { startProxy } from '../support/proxy.ts'
import { connect, register, startService, type TestService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

/** README, "When a part is down": back to normal. */
const recoveryMs = 2000

/** A service whose database has one name, under which the standby answers once it is switched. */
const startOnPair = async (t: Test, pair: PostgresPair) => {
  const name = await startProxy(t, pair.primary.url)
  const service = await startService(t, { DATABASE_URL: name.url })
  return { service, switchOver: () => name.switchTo(pair.standby.url) }
}

type Person = Awaited<ReturnType<typeof register>>
type Answer = { readonly status: number; readonly retryAfter: unknown; readonly body: string }

/** A client that signs in, refreshes and revokes all the time, and tries again what was refused. */
const startClient = (service: TestService, { email, password, refresh_token }: Person) => {
  const answers: Answer[] = []
  let token = refresh_token
  let rotations = 0
  let stopped = false
  const post = async (url: string, payload: object) => {
    const {
      statusCode: status,
      headers,
      body,
    } = await service.app.inject({
      method: 'POST',
      url,
      payload,
    })
    answers.push({ status, retryAfter: headers['retry-after'], body })
    return { status, body }
  }
  const run = async (): Promise<void> => {
    while (!stopped) {
      const { status, body } = await post('/refresh', { refresh_token: token })
      if (status === 200) {
        token = (JSON.parse(body) as { refresh_token: string }).refresh_token
        rotations += 1
      }
      await post('/auth/login', { email, password })
    }
  }
  const running = run()
  return {
    count: (status: number) => answers.filter((answer) => answer.status === status).length,
    async stop() {
      stopped = true
      await running
      return { answers, rotations, token }
    },
  }
}

/** Nothing but success and 503, which says when to come again. */
const expectPatience = (t: Test, answers: readonly Answer[]): void => {
  const others = answers.filter(
    ({ status, retryAfter }) => status !== 200 && !(status === 503 && retryAfter === '1'),
  )
  t.strictSame(others, [], 'each request is answered 200, or 503 with Retry-After')
  t.ok(
    answers.some(({ status }) => status === 503),
    'some met the failover',
  )
}

const signIn = async ({ app }: TestService, { email, password }: Person) => {
  const payload = { email, password }
  const answer = await app.inject({ method: 'POST', url: '/auth/login', payload })
  return {
    status: answer.statusCode,
    token: answer.json<{ refresh_token: string }>().refresh_token,
  }
}

const signOut = async ({ app }: TestService, { access_token }: Person): Promise<number> => {
  const headers = { authorization: `Bearer ${access_token}` }
  return (await app.inject({ method: 'POST', url: '/auth/logout', headers })).statusCode
}

const byForm = (refreshToken: string) => ({
  grant_type: 'refresh_token',
  refresh_token: refreshToken,
  client_id: 'first-party',
})

test('a standby that lagged takes over: the service recovers by itself, what was revoked stays revoked, lost refreshes have diverged', async (t) => {
  const pair = await startPostgresPair(t, { synchronous: false })
  const { service, switchOver } = await startOnPair(t, pair)
  const join = () => register(service.app)
  const [out, ahead, steady] = [await join(), await join(), await join()]
  await pair.caughtUp()
  pair.replication.cut()
  t.equal(await signOut(service, out), 204)
  const newest = tokenOf(await refresh(service, ahead.refresh_token))
  const newcomer = await join()

  await pair.primary.kill()
  const client = startClient(service, steady)
  await waitUntil('requests to meet no database', () => client.count(503) > 10)
  switchOver()
  const db = await connect(t, { databaseUrl: pair.standby.url })
  await waitUntil('the standby to be asked', async () => {
    await service.deps.revocations.announce()
    return true
  })
  t.equal(await isAccepted(service, out.access_token), false, 'a standby forgot, the node did not')
  const refused = client.count(503)
  await waitUntil('requests to meet the standby', () => client.count(503) > refused + 10)
  t.equal(client.count(200), 0, 'a standby takes no writes')

  await pair.promote()
  await waitUntil('the service to recover', () => client.count(200) > 0, { timeoutMs: recoveryMs })
  await waitUntil('the sign-out to be put back', async () => {
    const rows = await db.selectFrom('revocations').select('kind').execute()
    return rows.some(({ kind }) => kind === 'sid')
  })
  const { answers, token } = await client.stop()
  expectPatience(t, answers)
  t.equal((await refresh(service, token)).status, 200, 'whose refreshes were not lost goes on')

  // Another one knows only what stands in the promoted database.
  const later = await startService(t, { DATABASE_URL: pair.standby.url })
  for (const node of [service, later]) {
    t.equal(await isAccepted(node, out.access_token), false)
    t.match(await refresh(node, out.refresh_token), {
      status: 401,
      body: { code: 'revoked_refresh_token' },
    })
  }
  t.match((await postForm(service.app, '/token', byForm(newest))).json(), {
    error: 'invalid_grant',
    code: 'diverged',
  })
  const clean = await signIn(service, ahead)
  t.equal(clean.status, 200, 'a clean sign-in')
  t.equal((await refresh(later, clean.token)).status, 200)
  t.equal((await refresh(later, newcomer.refresh_token)).status, 401, 'an account that was lost')
})

test('a synchronous standby takes over under load: no refresh and no sign-out that was answered is lost', async (t) => {
  const pair = await startPostgresPair(t, { synchronous: true })
  const { service, switchOver } = await startOnPair(t, pair)
  const people = await Promise.all(Array.from({ length: 4 }, () => register(service.app)))
  const out = await register(service.app)
  const clients = people.map((person) => startClient(service, person))
  const haveGoneOn = (by: number) => {
    const before = clients.map((client) => client.count(200))
    return waitUntil('refreshes', () =>
      clients.every((client, index) => client.count(200) >= (before[index] ?? 0) + by),
    )
  }
  await haveGoneOn(10)
  t.equal(await signOut(service, out), 204)
  await pair.primary.kill()
  await waitUntil('the failure', () => clients.every((client) => client.count(503) > 0))
  await pair.promote()
  switchOver()
  await haveGoneOn(10)

  const db = await connect(t, { databaseUrl: pair.standby.url })
  for (const [index, client] of clients.entries()) {
    const { answers, rotations, token } = await client.stop()
    expectPatience(t, answers)
    t.equal((await refresh(service, token)).status, 200, 'the newest token')
    const family = await db
      .selectFrom('refresh_families')
      .select(['generation', 'revoked_at'])
      .where('user_id', '=', people[index]?.user.id ?? '')
      .where('generation', '>', 1)
      .execute()
    t.strictSame(family, [{ generation: rotations + 2, revoked_at: null }], 'each counted once')
  }
  const later = await startService(t, { DATABASE_URL: pair.standby.url })
  t.equal(await isAccepted(later, out.access_token), false)
  t.equal((await refresh(later, out.refresh_token)).status, 401)
})

test('a synchronous standby that is away: what cannot be promised is 503 in bounded time', async (t) => {
  const pair = await startPostgresPair(t, { synchronous: true })
  const { service } = await startOnPair(t, pair)
  const person = await register(service.app)
  pair.replication.cut()
  const { databaseConnectTimeoutMs, databaseStatementTimeoutMs } = service.config
  const longestMs = databaseConnectTimeoutMs + databaseStatementTimeoutMs + 1000
  const started = performance.now()
  t.equal((await refresh(service, person.refresh_token)).status, 503)
  t.ok(performance.now() - started < longestMs + 500)
  pair.replication.restore()
  await waitUntil(
    'the service to recover',
    async () => (await refresh(service, person.refresh_token)).status === 200,
  )
  const db = await connect(t, { databaseUrl: pair.primary.url })
  const families = await db.selectFrom('refresh_families').select('generation').execute()
  t.strictSame(families, [{ generation: 2 }], 'it was a retry')
})
