import { randomUUID } from 'node:crypto'
import { createLogoutNoticeStore } from '../../src/stores/postgres/logout-notices.ts'
import { createPruners } from '../../src/stores/postgres/pruning.ts'
import { createSessionStore } from '../../src/stores/postgres/sessions.ts'
import { seedSession } from '../support/openid.ts'
import { seedClient, seedUser } from '../support/seeds.ts'
import type { SqlBackend } from '../support/sql-backends.ts'
import { storeContract } from '../support/store-contract.ts'

const { rule, run } = storeContract('the outbox of logouts', async ({ db }) => {
  for (const table of ['logout_notices', 'session_clients', 'sessions', 'clients'] as const) {
    await db.deleteFrom(table).execute()
  }
})

const act = { actor: 'cli', origin: {} }
const delays = [15, 60]

/** A session that clients know of; `uri` null: one that does not want to hear of its end. */
const openSession = async (backend: SqlBackend, clients: Record<string, string | null>) => {
  const { db } = backend
  const userId = await seedUser(backend)
  const sessionId = await seedSession(db, userId)
  for (const [id, uri] of Object.entries(clients)) {
    await seedClient(backend, id)
    const settings = JSON.stringify(uri === null ? {} : { backchannel_logout_uri: uri })
    await db.updateTable('clients').set({ settings }).where('id', '=', id).execute()
    await db
      .insertInto('session_clients')
      .values({ session_id: sessionId, client_id: id })
      .execute()
  }
  const sessions = createSessionStore(backend, () => 900)
  return { userId, sessionId, end: () => sessions.end(userId, sessionId, act) }
}
const noticesIn = ({ db }: SqlBackend) =>
  db.selectFrom('logout_notices').selectAll().orderBy('client_id').execute()

rule('has one notice for each client that wants one, once', async (t, backend) => {
  const { userId, sessionId, end } = await openSession(backend, {
    a: 'https://a.example/out',
    b: 'https://b.example/out',
    mute: null,
    gone: 'https://gone.example/out',
  })
  await backend.db
    .updateTable('clients')
    .set({ disabled_at: new Date() })
    .where('id', '=', 'gone')
    .execute()
  t.equal(await end(), true)
  t.equal(await end(), false)
  t.match(await noticesIn(backend), [
    { client_id: 'a', user_id: userId, session_id: sessionId, attempts: 0, delivered_at: null },
    { client_id: 'b', user_id: userId, session_id: sessionId, attempts: 0, delivered_at: null },
  ])
  t.equal((await noticesIn(backend)).length, 2)
})

rule('has none for an end that was not committed', async (t, backend) => {
  const { userId, end } = await openSession(backend, { a: 'https://a.example/out' })
  const failing = createSessionStore(backend, () => {
    throw new Error('cut off')
  })
  const [row] = await backend.db.selectFrom('sessions').select('id').execute()
  await t.rejects(failing.end(userId, row?.id ?? '', act), /cut off/)
  t.strictSame(await noticesIn(backend), [])
  t.equal(await end(), true)
  t.equal((await noticesIn(backend)).length, 1)
})

rule('gives each notice to one taker, and to the next when it is due again', async (t, backend) => {
  const store = createLogoutNoticeStore(backend)
  const { userId, sessionId, end } = await openSession(backend, { a: 'https://a.example/out' })
  t.equal(await store.claim(delays, []), undefined)
  await end()
  t.equal(await store.claim(delays, ['a']), undefined, 'the client is being told something')
  const takers = await Promise.all(Array.from({ length: 20 }, () => store.claim(delays, [])))
  const [taken, second] = takers.filter((notice) => notice !== undefined)
  t.match(taken, { clientId: 'a', userId, sessionId, attempt: 1 })
  t.equal(second, undefined)
  backend.moveTime(16)
  t.match(await store.claim(delays, []), { attempt: 2 })
  t.equal(await store.claim(delays, []), undefined)
  backend.moveTime(61)
  t.match(await store.claim(delays, []), { attempt: 3 })
  backend.moveTime(86_400)
  t.equal(await store.claim(delays, []), undefined, 'the last attempt has been made')
  backend.moveTime(-86_477)
})

rule('gives what is settled to nobody', async (t, backend) => {
  const store = createLogoutNoticeStore(backend)
  const { end } = await openSession(backend, { a: 'https://a.example/out' })
  await end()
  const notice = await store.claim(delays, [])
  await store.settle(notice?.id ?? randomUUID())
  backend.moveTime(16)
  t.equal(await store.claim(delays, []), undefined)
  backend.moveTime(-16)
  t.match(await noticesIn(backend), [{ delivered_at: Date, next_attempt_at: null }])
})

rule('is emptied after a week', async (t, backend) => {
  const { end } = await openSession(backend, { a: 'https://a.example/out' })
  await end()
  const prune = () =>
    createPruners(backend)
      .find(({ name }) => name === 'logout_notices')
      ?.run()
  t.equal(await prune(), 0)
  backend.moveTime(7 * 86_400 + 1)
  t.equal(await prune(), 1)
  backend.moveTime(-7 * 86_400 - 1)
})

run()
