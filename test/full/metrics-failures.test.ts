import { randomBytes, randomUUID } from 'node:crypto'
import { type Insertable, sql } from 'kysely'
import { type Test, test } from 'tap'
import { counters } from '../../src/observability/counters.ts'
import type { Database } from '../../src/stores/postgres/schema.ts'
import { connectAsOwner } from '../faults/faulty-database.ts'
import { read, sampleOf } from '../observability/samples.ts'
import { connect, startService, type TestService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const withMetrics = { METRICS_PORT: '9464' }
const samples = async ({ deps }: TestService) => read(await deps.metrics.registry.metrics())

/** The sum over all labels. */
const total = async (service: TestService, name: string): Promise<number> =>
  (await samples(service))
    .filter(({ id }) => id.startsWith(name))
    .reduce((sum, { value }) => sum + value, 0)

const hours = (count: number): Date => new Date(Date.now() - count * 3_600_000)

test('a chore of housekeeping that fails is counted and logged, the others are done, and the next time it is made up for', async (t) => {
  const first = await startService(t)
  const db = await connect(t, first)
  const old = { id: randomUUID(), started_at: hours(49), ended_at: hours(48) }
  await db
    .insertInto('outages')
    .values(old as Insertable<Database['outages']>)
    .execute()
  await sql`
    INSERT INTO revocations (kind, value, created_at, changed_at, expires_at)
    VALUES ('jti', 'over', ${hours(3)}, ${hours(3)}, ${hours(2)})`.execute(db)
  const environment = { ...withMetrics, DATABASE_URL: first.databaseUrl }
  const startNode = (t: Test) =>
    startService(t, { ...environment, DATABASE_LOCK_TIMEOUT_MS: '200' })

  const owner = await connectAsOwner(t, first.databaseUrl)
  await owner.query('BEGIN')
  await owner.query('LOCK TABLE outages')
  const hindered = await startNode(t)
  const { name: failures } = counters.housekeepingFailures
  const { name: pruned } = counters.pruned
  t.equal(sampleOf(await samples(hindered), failures, { chore: 'outages' }), 1)
  t.equal(await total(hindered, failures), 1, 'no other failed')
  t.equal(sampleOf(await samples(hindered), pruned, { chore: 'revocations' }), 1)
  t.ok(hindered.log.some((line) => line.includes('housekeeping failed') && /outages/.test(line)))

  await owner.query('ROLLBACK')
  const free = await startNode(t)
  t.equal(await total(free, failures), 0)
  t.equal(sampleOf(await samples(free), pruned, { chore: 'outages' }), 1)
})

// Days in the life of a key pass in a second.
const keyTiming = {
  minimumPublicationSeconds: 0,
  maxAgeSeconds: 0.5,
  staleWhileRevalidateSeconds: 0,
  nodeReloadSeconds: 0.5,
  skewSeconds: 0.5,
}
const newKey = (): string => randomBytes(32).toString('base64')

test('a key that is due and cannot be replaced is counted at every try, by its ring, until it can', async (t) => {
  const [old, fresh] = [newKey(), newKey()]
  const waiting = { keyTiming, keyRotationSeconds: 0 }
  const behind = await startService(t, { KEY_ENCRYPTION_KEY: old }, waiting)
  const both = { DATABASE_URL: behind.databaseUrl, KEY_ENCRYPTION_KEY: `${fresh},${old}` }
  const ahead = await startService(
    t,
    { ...withMetrics, ...both },
    { keyTiming, keyRotationSeconds: 2 },
  )
  const { name: stuck } = counters.keyRotationsStuck
  const count = async (ring: string) => sampleOf(await samples(ahead), stuck, { ring }) ?? 0
  const rings = ['RS256', 'ES256', 'EdDSA', 'PS256', 'MAC']
  // The first keys were sealed by the key that both know; the ones that follow were not.
  for (const ring of rings) {
    await waitUntil(ring, async () => (await count(ring)) >= 2, { timeoutMs: 30_000 })
  }

  await behind.app.close()
  await behind.deps.close()
  const signers = () => ahead.deps.keyRing.ages().map(({ keyId }) => keyId)
  const rotation = (before = signers()) =>
    waitUntil('the rotation', () => signers().every((keyId) => !before.includes(keyId)), {
      timeoutMs: 30_000,
    })
  await rotation()
  await waitUntil('the MAC key that was put off to be used', async () => {
    const keys = await ahead.deps.keyAdministration.listMacKeys()
    return keys.some(({ number, state }) => number > 1 && state === 'current')
  })
  const counted = await total(ahead, stuck)
  await rotation()
  t.equal(await total(ahead, stuck), counted, 'no more')
})
