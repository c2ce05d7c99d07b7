import t, { type Test, test } from 'tap'
import { type Act, acts, ask, isDone, type Person } from '../faults/acts.ts'
import {
  familyRow,
  isReading,
  lockFamilies,
  startBehindProxy,
  waitingBackend,
} from '../faults/faulty-database.ts'
import { refresh, tokenOf } from '../support/nodes.ts'
import { keptThroughKill, startPostgresServer } from '../support/postgres-server.ts'
import { register } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const postgres = await startPostgresServer(t, { settings: keptThroughKill })
const patient = { DATABASE_LOCK_TIMEOUT_MS: '5000' }
const faulty = await startBehindProxy(t, patient, postgres.url)
const { service, proxy, db } = faulty

const killOnReply = (step: number): { dead?: Promise<void> } => {
  const killing: { dead?: Promise<void> } = {}
  let replies = 0
  proxy.loseReply((reply) => {
    if (isReading(reply)) return false
    replies += 1
    if (replies < step) return false
    killing.dead = postgres.kill()
    return true
  })
  return killing
}

/** The service by itself, as soon as the database is back. */
const registerAfterRestart = (): Promise<Person> =>
  waitUntil('the service to recover', () => register(service.app), { timeoutMs: 5000 })

const tracesAfterRestart = (act: Act, person: Person) =>
  waitUntil('the database', () => act.traces(db, person))

/**
 * Kills the database when it has sent its first reply to the act, its second, and so on to the
 * last, and at the end when the act has been answered.
 */
const killAtEachStep = async (
  t: Test,
  attempt: (person: Person) => Promise<number>,
  check: (person: Person, status: number) => Promise<void>,
): Promise<void> => {
  for (let step = 1; ; step += 1) {
    const person = await registerAfterRestart()
    const killing = killOnReply(step)
    const status = await attempt(person)
    const isAnswered = killing.dead === undefined
    if (isAnswered) proxy.loseReply(() => false)
    t.equal(isDone(status), isAnswered)
    t.equal(status === 503, !isAnswered)
    await (killing.dead ?? postgres.kill())
    await postgres.start()
    await check(person, status)
    if (isAnswered) return t.comment(`${step - 1} steps`)
  }
}

for (const [name, act] of Object.entries(acts)) {
  test(`${name}: a kill -9 of the database at any step leaves all of it or nothing, and all when it was answered`, async (t) => {
    await killAtEachStep(
      t,
      (person) => ask(service, act, person),
      async (person, status) => {
        const traces = await tracesAfterRestart(act, person)
        const done = traces.map(() => act.before + 1)
        const undone = traces.map(() => act.before)
        t.strictSame(traces, !isDone(status) && traces[0] === act.before ? undone : done)
        await waitUntil('the act to succeed', async () => isDone(await ask(service, act, person)))
      },
    )
  })
}

test('refresh: a kill -9 of the database at any step leaves a token that works or is a retry', async (t) => {
  await killAtEachStep(
    t,
    async ({ refresh_token: token }) => (await refresh(service, token)).status,
    async ({ refresh_token: parent, user }) => {
      const retry = await waitUntil('the retry', async () => {
        const answer = await refresh(service, parent)
        return answer.status === 503 ? undefined : answer
      })
      t.equal(retry.status, 200)
      t.equal((await familyRow(db, user.id)).generation, 2, 'one rotation')
      t.equal((await refresh(service, tokenOf(retry))).status, 200, 'the family goes on')
    },
  )
})

test('refresh: a kill -9 of the database while the update waits for a lock rotates nothing', async (t) => {
  const { refresh_token: parent, user } = await register(service.app)
  await lockFamilies(t, faulty, user.id)
  const refreshing = refresh(service, parent)
  await waitingBackend(db)
  await postgres.kill()
  t.equal((await refreshing).status, 503)
  await postgres.start()
  const row = await waitUntil('the database', () => familyRow(db, user.id))
  t.equal(row.generation, 1)
  const again = await waitUntil('the service to recover', async () => {
    const answer = await refresh(service, parent)
    return answer.status === 503 ? undefined : answer
  })
  t.equal(again.status, 200)
})

test('a kill -9 of the database between requests is answered 503 until it is back', async (t) => {
  const { refresh_token: parent, user } = await register(service.app)
  await postgres.kill()
  t.equal((await refresh(service, parent)).status, 503)
  await postgres.start()
  await waitUntil(
    'the service to recover',
    async () => (await refresh(service, parent)).status === 200,
  )
  t.equal((await familyRow(db, user.id)).generation, 2)
})
