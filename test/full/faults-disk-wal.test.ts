import t, { test } from 'tap'
import { acts, ask, isDone, type Person } from '../faults/acts.ts'
import { createTestDatabase } from '../support/database.ts'
import { limitFiles } from '../support/file-limit.ts'
import { isAccepted, refresh, tokenOf } from '../support/nodes.ts'
import { keptThroughKill, startPostgresServer } from '../support/postgres-server.ts'
import { connect, register, startService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

// Far less than the write-ahead log has already: nothing more can be written to it.
const limitBytes = 64 * 1024
const postgres = await startPostgresServer(t, { settings: keptThroughKill })
const { url: databaseUrl } = await createTestDatabase(t, postgres.url)
const service = await startService(t, { DATABASE_URL: databaseUrl })
const { app } = service

const signIn = ({ email, password }: Person) =>
  app.inject({ method: 'POST', url: '/auth/login', payload: { email, password } })

const hasEnded = (pid: number): boolean => {
  try {
    return !process.kill(pid, 0)
  } catch {
    return true
  }
}

test('a disk that is full beneath the write-ahead log ends PostgreSQL: acts are 503 until it is back, whole or not done, and what was answered is there', async (t) => {
  const [person, other] = [await register(app), await register(app)]
  const renewed = tokenOf(await refresh(service, person.refresh_token))
  const [postmaster = 0] = postgres.pids()
  await limitFiles(postgres, limitBytes)

  const refused = await signIn(person)
  t.equal(refused.statusCode, 503, 'the first one already')
  t.match(refused.headers['retry-after'], /^\d+$/)
  await waitUntil('PostgreSQL to end', () => hasEnded(postmaster), { timeoutMs: 20_000 })
  for (const [name, act] of Object.entries(acts)) {
    t.equal(await ask(service, act, other), 503, name)
  }
  const late = await refresh(service, renewed)
  t.equal(late.status, 503)
  t.equal((await app.inject('/.well-known/jwks.json')).statusCode, 200)

  await postgres.start()
  const isServing = async () => isDone((await signIn(person)).statusCode)
  await waitUntil('acts to be done', isServing, { timeoutMs: 5000 })
  const db = await connect(t, { databaseUrl })
  for (const [name, act] of Object.entries(acts)) {
    const traces = await act.traces(db, other)
    t.strictSame(
      traces,
      traces.map(() => act.before),
      `${name}: nothing of it`,
    )
  }
  const next = await refresh(service, renewed)
  t.equal(next.status, 200, 'the refresh token that was answered')
  t.equal(await isAccepted(service, String(next.body.access_token)), true)
  t.equal(await isAccepted(service, other.access_token), true)
})

test('where there is room again by the time PostgreSQL has restarted itself, the service goes on by itself', async (t) => {
  const person = await register(app)
  const renewed = tokenOf(await refresh(service, person.refresh_token))
  // Those that it starts from now on are not limited.
  const [postmaster = 0, ...others] = postgres.pids()
  await limitFiles(postgres, limitBytes, others)
  const refused = await signIn(person)
  t.equal(refused.statusCode, 503)
  t.match(refused.headers['retry-after'], /^\d+$/)

  const isServing = async () => {
    const { statusCode } = await signIn(person)
    t.ok(isDone(statusCode) || statusCode === 503, `${statusCode}`)
    return isDone(statusCode)
  }
  await waitUntil('acts to be done', isServing, { timeoutMs: 20_000 })
  t.equal(hasEnded(postmaster), false)
  t.equal((await refresh(service, renewed)).status, 200)
})
