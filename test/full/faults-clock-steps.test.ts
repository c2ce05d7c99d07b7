import { sql } from 'kysely'
import { type Test, test } from 'tap'
import { createTestDatabase } from '../support/database.ts'
import { createFakeClock, type FakeClock } from '../support/fake-clock.ts'
import { fastSettings, startPostgresServer } from '../support/postgres-server.ts'
import { type ServerProcess, startServer } from '../support/server-process.ts'
import { connect, testEnvironment } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'
import { isAccepted, refresh, register, revoke, tokensOf, type WirePerson } from './wire.ts'

// Five minutes forward, back to the right time, five minutes behind it, and right again.
const steps = [300, 0, -300, 0]

type Nodes = readonly [ServerProcess, ServerProcess]

/** Seconds by which a node's own clock differs from ours. */
const skewOf = async ({ url }: ServerProcess): Promise<number> => {
  const { headers } = await fetch(`${url}/health/live`)
  return Math.round((Date.parse(headers.get('date') ?? '') - Date.now()) / 1000)
}

/** What was issued before a step is good after it, goes on, and ends when it is revoked. */
const expectToGoOn = async (t: Test, [first, second]: Nodes, before: WirePerson): Promise<void> => {
  for (const node of [first, second]) {
    t.equal(await isAccepted(node, before.access), true, 'the access token from before')
  }
  const rotated = tokensOf(await refresh(first, before.refresh))
  t.equal(tokensOf(await refresh(second, before.refresh)).refresh, rotated.refresh, 'a retry')
  const next = tokensOf(await refresh(second, rotated.refresh))
  for (const node of [first, second]) t.equal(await isAccepted(node, next.access), true)
  t.equal((await revoke(first, next.refresh)).status, 200)
  // Every 500 ms, and time for the readings themselves.
  await waitUntil('the other node', async () => !(await isAccepted(second, next.access)), {
    timeoutMs: 1500,
  })
  t.match(await refresh(second, next.refresh), {
    status: 401,
    body: { code: 'revoked_refresh_token' },
  })
}

test('the clock of a node steps to and fro: nobody notices', async (t) => {
  const clock = await createFakeClock()
  const { url: databaseUrl } = await createTestDatabase(t)
  const environment = { ...testEnvironment, DATABASE_URL: databaseUrl }
  const nodes = [
    await startServer(t, { ...environment, ...clock.environment }),
    await startServer(t, environment),
  ] as const
  for (const step of steps) {
    const before = await register(nodes[1])
    clock.set(step)
    const isSet = async () => Math.abs((await skewOf(nodes[0])) - step) <= 2
    await waitUntil('the clock of the node', isSet)
    await expectToGoOn(t, nodes, before)
  }
})

const setDatabaseClock = async (
  { databaseUrl, clock }: { databaseUrl: string; clock: FakeClock },
  t: Test,
  step: number,
): Promise<void> => {
  const db = await connect(t, { databaseUrl })
  clock.set(step)
  await waitUntil('the clock of the database', async () => {
    const { rows } = await sql<{ now: number }>`
      SELECT extract(epoch FROM clock_timestamp())::float8 AS now`.execute(db)
    return Math.abs((rows[0]?.now ?? 0) - Date.now() / 1000 - step) <= 2
  })
}

test('the clock of the database steps to and fro: tokens of before are good, sign-ins go on, revocations cross the nodes', async (t) => {
  const clock = await createFakeClock()
  const { environment } = clock
  const postgres = await startPostgresServer(t, { settings: fastSettings, environment })
  const { url: databaseUrl } = await createTestDatabase(t, postgres.url)
  const settings = { ...testEnvironment, DATABASE_URL: databaseUrl }
  const nodes = [await startServer(t, settings), await startServer(t, settings)] as const
  for (const step of steps) {
    const before = await register(nodes[1])
    await setDatabaseClock({ databaseUrl, clock }, t, step)
    await expectToGoOn(t, nodes, before)
  }
})
