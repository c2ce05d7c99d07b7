import { setTimeout as delay } from 'node:timers/promises'
import { type Test, test } from 'tap'
import { createTestDatabase } from '../support/database.ts'
import { keptThroughKill, startPostgresServer } from '../support/postgres-server.ts'
import { startProxy } from '../support/proxy.ts'
import { type ServerProcess, startServer } from '../support/server-process.ts'
import { connect, testEnvironment } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'
import { isAccepted, refresh, register, tokensOf, type WireAnswer } from './wire.ts'

// Twice the window in which a refresh may be retried, with everything as it is by default.
const outageMs = 60_000
const windowMs = 30_000
const recoveryMs = 2000

/** Two nodes and a way to take their database away. */
type Service = {
  readonly nodes: readonly [ServerProcess, ServerProcess]
  readonly databaseUrl: string
  takeAway(): Promise<void> | void
  giveBack(): Promise<void> | void
  /** Longest time that a request may take meanwhile. */
  readonly longestWaitMs: number
}

const startNodes = async (t: Test, url: string) => {
  const environment = { ...testEnvironment, DATABASE_URL: url }
  return [await startServer(t, environment), await startServer(t, environment)] as const
}

const stopped = async (t: Test): Promise<Service> => {
  const postgres = await startPostgresServer(t, { settings: keptThroughKill })
  const { url: databaseUrl } = await createTestDatabase(t, postgres.url)
  const nodes = await startNodes(t, databaseUrl)
  // Connections are refused at once, but for those that are to be opened the pool has its time.
  return {
    ...{ nodes, databaseUrl, longestWaitMs: 3000 },
    takeAway: postgres.stop,
    giveBack: postgres.start,
  }
}

const silent = async (t: Test): Promise<Service> => {
  const { url: databaseUrl } = await createTestDatabase(t)
  const proxy = await startProxy(t, databaseUrl)
  const nodes = await startNodes(t, proxy.url)
  // For a connection, for a statement, and a second more for the driver's own limit.
  const longestWaitMs = 3000 + 5000 + 1000
  return { nodes, databaseUrl, longestWaitMs, takeAway: proxy.hold, giveBack: proxy.restore }
}

/** Asks a node again and again, for as long as the outage lasts. */
const probe = async (node: ServerProcess, token: string, until: number) => {
  const answers: WireAnswer[] = []
  while (performance.now() < until) {
    answers.push(await refresh(node, token))
    await delay(250)
  }
  return answers
}

const ways = {
  'a stopped database': stopped,
  'a database that does not answer': silent,
}

for (const [name, start] of Object.entries(ways)) {
  test(`${name} for a minute: bounded 503s, then the retry from before goes on`, async (t) => {
    const { nodes, databaseUrl, takeAway, giveBack, longestWaitMs } = await start(t)
    const people = await Promise.all(nodes.map((node) => register(node)))
    // The answers to these are lost, as far as the clients know.
    const lost = await Promise.all(
      nodes.map(async (node, index) => tokensOf(await refresh(node, people[index]?.refresh))),
    )

    await takeAway()
    const until = performance.now() + outageMs
    const probes = await Promise.all(
      nodes.map((node, index) => probe(node, people[index]?.refresh ?? '', until)),
    )
    const answers = probes.flat()
    t.ok(answers.length > 2 * nodes.length)
    t.strictSame(new Set(answers.map(({ status }) => status)), new Set([503]))
    t.strictSame(new Set(answers.map(({ body }) => body.code)), new Set(['unavailable']))
    const waits = answers.map(({ headers }) => Number(headers.get('retry-after')))
    t.ok(
      waits.every((seconds) => seconds >= 1 && seconds * 1000 < windowMs / 2),
      'come again while it is still a retry',
    )
    const slowest = Math.max(...answers.map(({ ms }) => ms))
    t.ok(slowest <= longestWaitMs, `the slowest of ${answers.length} took ${slowest.toFixed(0)} ms`)

    await giveBack()
    const back = performance.now()
    const retried = await Promise.all(
      nodes.map((_, index) =>
        // At the other node, which knows of the rotation only from the database.
        waitUntil('the service to recover', async () => {
          const answer = await refresh(nodes[1 - index] as ServerProcess, people[index]?.refresh)
          return answer.status !== 503 && answer
        }),
      ),
    )
    const recovery = performance.now() - back
    t.ok(recovery <= recoveryMs, `recovered after ${recovery.toFixed(0)} ms`)
    t.strictSame(
      retried.map((answer) => tokensOf(answer).refresh),
      lost.map((tokens) => tokens.refresh),
      'the very successors from before',
    )
    for (const [index, node] of nodes.entries()) {
      t.equal((await refresh(node, lost[index]?.refresh)).status, 200, 'which go on')
      t.equal(await isAccepted(node, lost[index]?.access ?? ''), true)
    }

    const db = await connect(t, { databaseUrl })
    const outages = await waitUntil('every node to record the outage', async () => {
      const rows = await db.selectFrom('outages').selectAll().execute()
      return rows.length >= nodes.length && rows
    })
    t.equal(outages.length, nodes.length, 'once each')
    for (const { started_at: startedAt, ended_at: endedAt } of outages) {
      const seconds = (endedAt.getTime() - startedAt.getTime()) / 1000
      t.ok(seconds > outageMs / 1000 - 2 && seconds < outageMs / 1000 + 15, `${seconds} s`)
    }
  })
}
