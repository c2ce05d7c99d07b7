import { sql } from 'kysely'
import t, { test } from 'tap'
import { acts, ask, isDone } from '../faults/acts.ts'
import { createTestDatabase } from '../support/database.ts'
import { limitFiles } from '../support/file-limit.ts'
import { isAccepted, refresh, tokenOf } from '../support/nodes.ts'
import { keptThroughKill, startPostgresServer } from '../support/postgres-server.ts'
import { connect, register, startService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

// A limit on the size of files is a disk that is full for tables: what needs no more room works on.
// It is above that of a segment of the write-ahead log, without which PostgreSQL would end itself.
const limitBytes = 20 * 1024 * 1024
const postgres = await startPostgresServer(t, {
  // Without processes that come and go.
  settings: { ...keptThroughKill, autovacuum: 'off' },
})
const { url: databaseUrl } = await createTestDatabase(t, postgres.url)
const service = await startService(t, { DATABASE_URL: databaseUrl })
const db = await connect(t, { databaseUrl })

/** Fills the audit trail, which every act writes to, until it cannot grow below the limit. */
const fillAuditTrail = async (): Promise<void> => {
  await sql`
    INSERT INTO audit_events (id, type, severity, outcome, details)
    SELECT gen_random_uuid(), 'sign_in.failed', 'notice', 'failure',
      jsonb_build_object('filler', repeat('x', 1500))
    FROM generate_series(1, 20000)`.execute(db)
}

test('a disk that is full: acts are 503 as a whole, refreshes and checks work on, and with room all works again', async (t) => {
  const person = await register(service.app)
  await fillAuditTrail()
  await limitFiles(postgres, limitBytes)
  t.teardown(() => limitFiles(postgres, 'unlimited'))
  for (const [name, act] of Object.entries(acts)) {
    t.equal(await ask(service, act, person), 503, name)
    const traces = await act.traces(db, person)
    t.strictSame(
      traces,
      traces.map(() => act.before),
      'nothing of it',
    )
  }
  const renewed = await refresh(service, person.refresh_token)
  t.equal(renewed.status, 200, 'a refresh takes no room')
  t.equal(await isAccepted(service, person.access_token), true)
  t.equal((await service.app.inject('/health/ready')).statusCode, 200)

  await limitFiles(postgres, 'unlimited')
  await waitUntil(
    'acts to be done',
    async () => isDone(await ask(service, acts['sign-in'], person)),
    {
      timeoutMs: 2000,
    },
  )
  t.equal((await refresh(service, tokenOf(renewed))).status, 200)
})
