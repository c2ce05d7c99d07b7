import { Agent } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { type Test, test } from 'tap'
import { createMachine } from '../endpoints/oauth/requests.ts'
import { bodyOf, credentials, get, post, type SignedIn } from '../faults/over-http.ts'
import { type Exchange, exchangeOver, json } from '../support/load.ts'
import { startServer } from '../support/server-process.ts'
import { keysOfItsOwn, startService, testEnvironment } from '../support/service.ts'
import { quantile } from './wire.ts'

// Large keys, so that who offers the load has less to do than who serves it.
const slowSigning = { ...keysOfItsOwn, RSA_MODULUS_BITS: '4096' }
const atOnce = 32
// Kept alive, as a balancer keeps its own; a request that has to wait for one is late all the same.
const connections = 128
const measureMs = 3000
const overloadMs = 8000
// Who is let in waits for those who are at it, whose number is bounded.
const longestMs = 2000

type Done = { readonly status: number; readonly retryAfter: unknown; readonly ms: number }

/** A service, and requests of two kinds in turn; of a family there is one at a time. */
const prepare = async (t: Test) => {
  const { deps, databaseUrl } = await startService(t, slowSigning)
  const machine = await createMachine(deps, { grantTypes: ['client_credentials'] })
  const server = await startServer(t, {
    ...testEnvironment,
    ...slowSigning,
    DATABASE_URL: databaseUrl,
    OVERLOAD_REQUESTS: `${atOnce}`,
    LOG_LEVEL: 'warn',
  })
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  t.teardown(() => agent.destroy())
  const exchange = exchangeOver(agent, server.url)
  const people = await Promise.all(
    Array.from({ length: atOnce / 2 }, () =>
      bodyOf<SignedIn>(post(server, '/auth/register', credentials())),
    ),
  )
  const idle = people.map(({ refresh_token: token }) => token)
  const askForToken = {
    headers: { ...machine.headers, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ grant_type: 'client_credentials' }).toString(),
  }
  let turn = 0
  const send = async (): ReturnType<Exchange> => {
    turn += 1
    const token = turn % 2 === 0 ? idle.shift() : undefined
    if (token === undefined) return exchange('/token', askForToken)
    const answer = await exchange('/refresh', json({ refresh_token: token }))
    idle.push(answer.status === 200 ? (JSON.parse(answer.body) as SignedIn).refresh_token : token)
    return answer
  }
  const sendTimed = async (): Promise<Done> => {
    const begun = performance.now()
    const { status, headers } = await send()
    return { status, retryAfter: headers['retry-after'], ms: performance.now() - begun }
  }
  return { server, sendTimed, idle }
}

/** As many as are answered one after the other on `width` connections. @returns them all */
const closedLoop = async (act: () => Promise<Done>, width: number, ms: number): Promise<Done[]> => {
  const until = performance.now() + ms
  const done: Done[] = []
  const goOn = async (): Promise<void> => {
    while (performance.now() < until) done.push(await act())
  }
  await Promise.all(Array.from({ length: width }, goOn))
  return done
}

/** So many a second, whatever becomes of them. @returns them all */
const openLoop = async (
  act: () => Promise<Done>,
  perSecond: number,
  ms: number,
): Promise<Done[]> => {
  const begun = performance.now()
  const sent: Promise<Done>[] = []
  while (performance.now() - begun < ms) {
    const due = ((performance.now() - begun) * perSecond) / 1000
    while (sent.length < due) sent.push(act())
    await delay(1)
  }
  return Promise.all(sent)
}

const statusesOf = (done: readonly Done[]) => new Set(done.map(({ status }) => status))

test('at twice what it can do the service does what it can, and refuses the rest at once', async (t) => {
  const { server, sendTimed, idle } = await prepare(t)
  await closedLoop(sendTimed, connections, 1000)
  const calm = await closedLoop(sendTimed, atOnce / 4, measureMs)
  t.strictSame(statusesOf(calm), new Set([200]))
  const perSecond = (2 * 1000 * calm.length) / measureMs

  const done = await openLoop(sendTimed, perSecond, overloadMs)

  const accepted = done.filter(({ status }) => status === 200)
  const refused = done.filter(({ status }) => status !== 200)
  const possible = (calm.length * overloadMs) / measureMs
  t.ok(accepted.length > possible / 4, `${accepted.length} of ${possible} that it can`)
  t.ok(refused.length > 0)
  t.ok(
    refused.every(
      ({ status, retryAfter }) => [429, 503].includes(status) && Number(retryAfter) > 0,
    ),
  )
  const p99 = quantile(
    accepted.map(({ ms }) => ms),
    0.99,
  )
  t.ok(p99 < longestMs, `99 of 100 that are let in are answered within ${p99} ms`)

  const after = await closedLoop(sendTimed, atOnce / 4, measureMs)
  t.strictSame(statusesOf(after), new Set([200]), 'afterwards nobody is refused')
  t.ok(after.length > calm.length / 4, `${after.length} answers, ${calm.length} before`)
  t.equal(idle.length, atOnce / 2)
  for (const token of idle) {
    t.equal((await post(server, '/refresh', { refresh_token: token })).status, 200)
  }
  t.match(await (await get(server, '/health/ready')).json(), { status: 'ready' })
})
