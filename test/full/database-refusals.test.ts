import { sql } from 'kysely'
import { test } from 'tap'
import { acts, ask } from '../faults/acts.ts'
import {
  connectAsOwner,
  familyRow,
  startBehindProxy,
  waitingBackend,
} from '../faults/faulty-database.ts'
import { isAccepted, refresh, tokenOf } from '../support/nodes.ts'
import { connect, register, startService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const unavailable = { status: 503, body: { code: 'unavailable' } }

test('a database that is read-only answers what it can, and 503 to all that writes', async (t) => {
  const graceSeconds = 3
  const faulty = await startBehindProxy(t, { REFRESH_GRACE_SECONDS: `${graceSeconds}` })
  const { service, db, databaseUrl } = faulty
  const owner = await connectAsOwner(t, databaseUrl)
  const person = await register(service.app)
  const other = await register(service.app)
  const name = new URL(databaseUrl).pathname.slice(1)
  const setReadOnly = async (value: 'on' | 'off') => {
    await owner.query(`ALTER DATABASE "${name}" SET default_transaction_read_only = ${value}`)
    await owner.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    )
    await waitUntil('connections', () => db.selectFrom('users').select('id').execute())
  }
  const show = () =>
    service.app.inject({
      url: '/auth/me',
      headers: { authorization: `Bearer ${person.access_token}` },
    })
  const lost = tokenOf(await refresh(service, other.refresh_token))
  await setReadOnly('on')
  const since = performance.now()
  await waitUntil('the service', async () => (await show()).statusCode === 200)
  for (const [act, definition] of Object.entries(acts)) {
    t.equal(await ask(service, definition, person), 503, act)
    const traces = await definition.traces(db, person)
    t.strictSame(
      traces,
      traces.map(() => definition.before),
      'nothing of it',
    )
  }
  t.match(await refresh(service, person.refresh_token), unavailable)
  t.equal(await isAccepted(service, person.access_token), true)

  await waitUntil('the window to pass', () => performance.now() - since > (graceSeconds + 1) * 1000)
  t.match(await refresh(service, other.refresh_token), unavailable)
  await setReadOnly('off')
  await waitUntil(
    'the service',
    async () => (await refresh(service, person.refresh_token)).status === 200,
  )
  t.equal((await familyRow(db, person.user.id)).generation, 2)
  t.equal(tokenOf(await refresh(service, other.refresh_token)), lost, 'still a retry')
})

test('serialization failures are repeated, at most twice', async (t) => {
  const service = await startService(t)
  const db = await connect(t, service)
  const person = await register(service.app)
  const signIn = acts['sign-in']
  const failures = async (count: number): Promise<void> => {
    // Sequences do not go back with the transaction, so they count its attempts.
    await sql`CREATE SEQUENCE IF NOT EXISTS attempts`.execute(db)
    await sql`ALTER SEQUENCE attempts RESTART`.execute(db)
    await sql`CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF nextval('attempts') <= ${sql.lit(count)} THEN
        RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001';
      END IF;
      RETURN NEW;
    END $$`.execute(db)
    await sql`CREATE OR REPLACE TRIGGER fail BEFORE INSERT ON sessions
      FOR EACH ROW EXECUTE FUNCTION fail()`.execute(db)
  }
  const attempts = async (): Promise<number> => {
    const { rows } = await sql<{ value: number }>`SELECT last_value AS value FROM attempts`.execute(
      db,
    )
    return rows[0]?.value ?? 0
  }

  await failures(2)
  t.equal(await ask(service, signIn, person), 200)
  t.equal(await attempts(), 3)
  t.strictSame(new Set(await signIn.traces(db, person)), new Set([2]), 'one session more')

  await failures(Number.MAX_SAFE_INTEGER)
  t.equal(await ask(service, signIn, person), 503)
  t.equal(await attempts(), 3, 'and no more')
  t.strictSame(new Set(await signIn.traces(db, person)), new Set([2]))
})

test('the loser of a deadlock tries again, and the caller does not notice', async (t) => {
  const { service, db, databaseUrl } = await startBehindProxy(t, {
    DATABASE_LOCK_TIMEOUT_MS: '4000',
  })
  const owner = await connectAsOwner(t, databaseUrl)
  const person = await register(service.app)
  const signOut = acts['sign-out']
  await owner.query('BEGIN')
  await owner.query('SELECT FROM refresh_families FOR UPDATE')
  const signingOut = ask(service, signOut, person)
  await waitingBackend(db)
  // Each now waits for the other; who began to wait first is the one to be ended.
  await owner.query('SELECT FROM sessions FOR UPDATE')
  await owner.query('COMMIT')
  t.equal(await signingOut, 204)
  t.strictSame(new Set(await signOut.traces(db, person)), new Set([1]), 'done once')
  await waitUntil('the statistics to tell of a deadlock', async () => {
    const { rows } = await sql<{ deadlocks: number }>`
      SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`.execute(db)
    return rows[0]?.deadlocks === 1
  })
})

const mishaps = {
  'disk full': '53100',
  'out of memory': '53200',
  'an input or output error': '58030',
  'a damaged page': 'XX001',
  'a broken index': 'XX002',
} as const

test('whatever goes wrong inside the database is 503, and nothing is half done', async (t) => {
  const service = await startService(t)
  const db = await connect(t, service)
  const person = await register(service.app)
  for (const [mishap, state] of Object.entries(mishaps)) {
    // At the last write of each act.
    await sql`CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      RAISE EXCEPTION 'could not go on' USING ERRCODE = ${sql.lit(state)}; END $$`.execute(db)
    await sql`CREATE OR REPLACE TRIGGER fail BEFORE INSERT ON audit_events
      FOR EACH ROW EXECUTE FUNCTION fail()`.execute(db)
    for (const [name, act] of Object.entries(acts)) {
      t.equal(await ask(service, act, person), 503, `${name}: ${mishap}`)
      t.strictSame(new Set(await act.traces(db, person)), new Set([act.before]))
    }
  }
  await sql`DROP TRIGGER fail ON audit_events`.execute(db)
  t.equal(await ask(service, acts['sign-out'], person), 204)
})
