import t, { type Test, test } from 'tap'
import { type ActRequest, acts, ask, isDone } from '../faults/acts.ts'
import {
  familyRow,
  isReading,
  isRotation,
  lockFamilies,
  startBehindProxy,
  waitingBackend,
} from '../faults/faulty-database.ts'
import { isAccepted, refresh, tokenOf } from '../support/nodes.ts'
import { type ServerProcess, startServer } from '../support/server-process.ts'
import { register, testEnvironment } from '../support/service.ts'

// The victim is a process of its own behind the proxy; another node of the same service, in this
// process, is asked what became of it.
const faulty = await startBehindProxy(t)
const { service, proxy, db } = faulty

const startVictim = (t: Test): Promise<ServerProcess> =>
  startServer(t, { ...testEnvironment, DATABASE_URL: proxy.url })

const send = (server: ServerProcess, { url, contentType, body }: ActRequest): Promise<Response> =>
  fetch(new URL(url, server.url), {
    method: 'POST',
    headers: { 'content-type': contentType },
    body,
    signal: AbortSignal.timeout(10_000),
  })

const refreshRequest = (refreshToken: string): ActRequest => ({
  url: '/refresh',
  contentType: 'application/json',
  body: JSON.stringify({ refresh_token: refreshToken }),
})

/** Kills the victim when the database so answers what names `id`, before it can hear of it. */
const killOnReply = (victim: ServerProcess, id: string, isStep: (reply: Buffer) => boolean): void =>
  proxy.loseReply((reply, asked) => {
    // Other transactions run beside it.
    if (!asked.includes(id) || isReading(reply) || !isStep(reply)) return false
    void victim.kill()
    return true
  })

/** Steps of a transaction, by what the database answers to them. */
const steps: Readonly<Record<string, (reply: Buffer) => boolean>> = {
  'within the transaction': (reply) => reply.includes('INSERT 0'),
  'after the commit': (reply) => reply.includes('COMMIT'),
}

const { 'sign-in': signIn, revocation } = acts
for (const [name, act] of Object.entries({ 'sign-in': signIn, revocation })) {
  test(`${name}: a kill -9 of the server leaves all of it or nothing`, async (t) => {
    for (const [step, isStep] of Object.entries(steps)) {
      const [victim, person] = await Promise.all([startVictim(t), register(service.app)])
      killOnReply(victim, person.user.id, isStep)
      await t.rejects(send(victim, act.request(person)), `killed ${step}`)
      t.strictSame(await victim.exit, { code: null, signal: 'SIGKILL' })
      const traces = await act.traces(db, person)
      const expected = step === 'after the commit' ? act.before + 1 : act.before
      t.strictSame(
        traces,
        traces.map(() => expected),
        step,
      )
      t.ok(isDone(await ask(service, act, person)), 'another node does it')
    }
  })
}

test('a sign-out that was committed when the server was killed stands on the other node', async (t) => {
  const [victim, person] = await Promise.all([startVictim(t), register(service.app)])
  const signOut = acts['sign-out'].request(person)
  killOnReply(victim, person.user.id, (reply) => reply.includes('COMMIT'))
  await t.rejects(send(victim, signOut))
  await service.deps.revocations.announce()
  t.equal(await isAccepted(service, person.access_token), false)
  t.match(await refresh(service, person.refresh_token), {
    status: 401,
    body: { code: 'revoked_refresh_token' },
  })
})

test('refresh: a kill -9 of the server after the commit leaves a retry', async (t) => {
  const [victim, person] = await Promise.all([startVictim(t), register(service.app)])
  killOnReply(victim, (await familyRow(db, person.user.id)).id, isRotation)
  await t.rejects(send(victim, refreshRequest(person.refresh_token)))
  t.equal((await familyRow(db, person.user.id)).generation, 2, 'it was committed')
  const retry = await refresh(service, person.refresh_token)
  t.equal((await familyRow(db, person.user.id)).generation, 2)
  t.equal((await refresh(service, tokenOf(retry))).status, 200)
})

test('refresh: a kill -9 of the server while its update waits leaves a token that goes on', async (t) => {
  const [victim, person] = await Promise.all([startVictim(t), register(service.app)])
  const unlock = await lockFamilies(t, faulty, person.user.id)
  const refused = t.rejects(send(victim, refreshRequest(person.refresh_token)))
  await waitingBackend(db)
  await victim.kill()
  await refused
  await unlock()
  // PostgreSQL may finish the statement of a client that is gone: then it is a retry.
  const again = await refresh(service, person.refresh_token)
  t.equal((await familyRow(db, person.user.id)).generation, 2)
  t.equal((await refresh(service, tokenOf(again))).status, 200)
})
