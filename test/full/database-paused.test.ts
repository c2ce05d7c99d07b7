import t, { test } from 'tap'
import { acts, ask, isDone } from '../faults/acts.ts'
import { familyRow } from '../faults/faulty-database.ts'
import { createTestDatabase } from '../support/database.ts'
import { refresh, startNodes, tokenOf } from '../support/nodes.ts'
import { keptThroughKill, startPostgresServer } from '../support/postgres-server.ts'
import { connect, register } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

// The machine of the database hangs: connections stand, new ones are taken by its kernel, and
// nothing is ever answered.
const postgres = await startPostgresServer(t, { settings: keptThroughKill })
const { url: databaseUrl } = await createTestDatabase(t, postgres.url)
const timeoutMs = 500
const nodes = await startNodes(t, {
  DATABASE_URL: databaseUrl,
  DATABASE_CONNECT_TIMEOUT_MS: `${timeoutMs}`,
  DATABASE_STATEMENT_TIMEOUT_MS: `${timeoutMs}`,
})
const [service, other] = nodes
// For a connection, for a statement, a second more for the driver's own limit, and as much again
// for a machine that is busy.
const longestWaitMs = 2 * (timeoutMs + timeoutMs + 1000)

test('while the database hangs requests are 503 in time; when it goes on so do they, within two seconds, and nothing is half done', async (t) => {
  const db = await connect(t, service)
  const [person, ahead] = [await register(service.app), await register(service.app)]
  const lost = tokenOf(await refresh(service, ahead.refresh_token))
  postgres.pause()
  t.teardown(postgres.resume)
  for (let round = 0; round < 2; round += 1) {
    const started = performance.now()
    const answers = await Promise.all(
      nodes.flatMap((node) => [
        refresh(node, ahead.refresh_token),
        ...Object.values(acts).map(async (act) => ({
          status: await ask(node, act, person),
          body: { code: 'unavailable' },
        })),
      ]),
    )
    const waitedMs = performance.now() - started
    t.ok(waitedMs < longestWaitMs, `${waitedMs.toFixed(0)} ms`)
    for (const answer of answers) t.match(answer, { status: 503, body: { code: 'unavailable' } })
  }
  for (const { app } of nodes) {
    t.equal((await app.inject('/.well-known/jwks.json')).statusCode, 200)
    t.equal((await app.inject('/health/live')).statusCode, 200)
  }

  postgres.resume()
  await waitUntil(
    'both nodes to recover',
    async () => {
      const probes = [await register(service.app), await register(other.app)]
      return probes.length === nodes.length
    },
    { timeoutMs: 2000 },
  )
  t.equal(tokenOf(await refresh(other, ahead.refresh_token)), lost, 'still a retry')
  t.equal((await familyRow(db, ahead.user.id)).generation, 2)
  for (const [name, act] of Object.entries(acts)) {
    // What a hanging server had received it may do after all: all of it, or nothing.
    const traces = await act.traces(db, person)
    t.equal(new Set(traces).size, 1, name)
  }
  const again = await register(other.app)
  for (const [name, act] of Object.entries(acts)) {
    t.ok(isDone(await ask(service, act, again)), name)
  }
})
