import { sql } from 'kysely'
import { test } from 'tap'
import { acts, ask, type Person } from '../faults/acts.ts'
import {
  connectAsOwner,
  lockFamilies,
  startBehindProxy,
  waitingBackend,
} from '../faults/faulty-database.ts'
import { createTestDatabase } from '../support/database.ts'
import { refresh } from '../support/nodes.ts'
import { connect, register, startService } from '../support/service.ts'

const unavailable = { status: 503, body: { code: 'unavailable' } }

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
