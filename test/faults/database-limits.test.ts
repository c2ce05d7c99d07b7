import { sql } from 'kysely'
import { Client } from 'pg'
import { type Test, test } from 'tap'
import { createTestDatabase } from '../support/database.ts'
import { isAccepted, refresh, tokenOf } from '../support/nodes.ts'
import { connect, register, startService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'
import { acts, ask, type Person } from './acts.ts'
import { familyRow, lockFamilies, startBehindProxy, waitingBackend } from './faulty-database.ts'

const unavailable = { status: 503, body: { code: 'unavailable' } }

/** A connection of the test with the rights of the database's owner. */
const connectAsOwner = async (t: Test, connectionString: string): Promise<Client> => {
  const client = new Client({ connectionString })
  client.on('error', () => {})
  t.teardown(() => client.end())
  await client.connect()
  return client
}

test('a used-up pool is 503 within the time to wait for a connection, and recovers', async (t) => {
  const faulty = await startBehindProxy(t, {
    DATABASE_POOL_SIZE: '2',
    DATABASE_CONNECT_TIMEOUT_MS: '500',
    DATABASE_LOCK_TIMEOUT_MS: '10000',
    DATABASE_STATEMENT_TIMEOUT_MS: '10000',
  })
  const { service, db } = faulty
  const [one, two, three] = [
    await register(service.app),
    await register(service.app),
    await register(service.app),
  ]
  const unlocks = [
    await lockFamilies(t, faulty, one.user.id),
    await lockFamilies(t, faulty, two.user.id),
  ]
  const waiting = [refresh(service, one.refresh_token), refresh(service, two.refresh_token)]
  await waitingBackend(db, await waitingBackend(db))
  const started = performance.now()
  const refused = await Promise.all([
    refresh(service, three.refresh_token),
    service.app
      .inject({ url: '/auth/me', headers: { authorization: `Bearer ${three.access_token}` } })
      .then((answer) => ({ status: answer.statusCode, body: answer.json() })),
  ])
  t.ok(performance.now() - started < 2000, 'refused as soon as the time is over')
  for (const answer of refused) t.match(answer, unavailable)
  for (const unlock of unlocks) await unlock()
  for (const answer of await Promise.all(waiting)) t.equal(answer.status, 200)
  t.equal((await refresh(service, three.refresh_token)).status, 200)
})

test('whoever waits too long for a lock gets 503, and then succeeds', async (t) => {
  const faulty = await startBehindProxy(t, { DATABASE_LOCK_TIMEOUT_MS: '200' })
  const { service } = faulty
  const attempts: Record<string, (person: Person) => Promise<number>> = {
    refresh: async ({ refresh_token: token }) => (await refresh(service, token)).status,
    revocation: (person) => ask(service, acts.revocation, person),
    'sign-out': (person) => ask(service, acts['sign-out'], person),
  }
  for (const [name, attempt] of Object.entries(attempts)) {
    const person = await register(service.app)
    const unlock = await lockFamilies(t, faulty, person.user.id)
    t.equal(await attempt(person), 503, name)
    await unlock()
    t.ok([200, 204].includes(await attempt(person)), name)
  }
})

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

test('a server without a connection to spare is 503 for those who come too late', async (t) => {
  const { url } = await createTestDatabase(t)
  const owner = await connectAsOwner(t, url)
  const role = `limited_${crypto.randomUUID().slice(0, 8)}`
  await owner.query(`
    CREATE ROLE ${role} LOGIN PASSWORD 'few' CONNECTION LIMIT 2;
    GRANT CREATE, USAGE ON SCHEMA public TO ${role};
    GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role}`)
  t.teardown(() => owner.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`))
  const limited = new URL(url)
  limited.username = role
  limited.password = 'few'
  const service = await startService(t, { DATABASE_URL: limited.href })
  const people = await Promise.all(
    Array.from({ length: 20 }, () => register(service.app).catch((error: Error) => error.message)),
  )
  const refused = people.filter((person) => typeof person === 'string')
  t.ok(refused.length > 0)
  for (const message of refused) t.match(message, '"code":"unavailable"')
  t.ok(await register(service.app), 'and then there is one again')
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

test('a statement that takes too long is 503', async (t) => {
  const service = await startService(t, { DATABASE_STATEMENT_TIMEOUT_MS: '300' })
  const db = await connect(t, service)
  const person = await register(service.app)
  await sql`CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$`.execute(db)
  await sql`CREATE TRIGGER dawdle BEFORE UPDATE ON refresh_families
    FOR EACH ROW EXECUTE FUNCTION dawdle()`.execute(db)
  t.match(await refresh(service, person.refresh_token), unavailable)
  await sql`DROP TRIGGER dawdle ON refresh_families`.execute(db)
  t.equal((await refresh(service, person.refresh_token)).status, 200)
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
