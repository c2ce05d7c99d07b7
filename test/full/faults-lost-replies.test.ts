import { sql } from 'kysely'
import { test } from 'tap'
import {
  familyRow,
  isRotation,
  lockFamilies,
  startBehindProxy,
  waitingBackend,
} from '../faults/faulty-database.ts'
import { isAccepted, refresh, tokenOf } from '../support/nodes.ts'
import { startProxy } from '../support/proxy.ts'
import { connect, register, startService } from '../support/service.ts'

test('refresh: the database’s reply is lost after the commit: the server repeats and answers', async (t) => {
  const { service, proxy, db } = await startBehindProxy(t)
  const { refresh_token: parent, user } = await register(service.app)
  let lost = 0
  proxy.loseReply((reply) => {
    if (!isRotation(reply)) return false
    lost += 1
    return true
  })
  const answer = await refresh(service, parent)
  t.equal(lost, 1, 'the rotation was committed and its reply lost')
  t.equal(answer.status, 200)
  t.equal(await isAccepted(service, answer.body.access_token as string), true)
  t.equal((await familyRow(db, user.id)).generation, 2, 'one rotation')
  const next = await refresh(service, tokenOf(answer))
  t.equal(next.status, 200, 'the family goes on')
  t.equal((await familyRow(db, user.id)).generation, 3)
})

test('refresh: the database ends the connection while the update waits: the server repeats', async (t) => {
  const faulty = await startBehindProxy(t)
  const { service, db } = faulty
  const { refresh_token: parent, user } = await register(service.app)
  const unlock = await lockFamilies(t, faulty, user.id)
  const refreshing = refresh(service, parent)
  const waiting = await waitingBackend(db)
  await sql`SELECT pg_terminate_backend(${waiting})`.execute(db)
  await waitingBackend(db, waiting)
  await unlock()
  t.equal((await refreshing).status, 200)
  t.equal((await familyRow(db, user.id)).generation, 2)
})

test('refresh: in strict mode too a reply that the database lost is answered by the server', async (t) => {
  const { service, proxy, db } = await startBehindProxy(t, { REFRESH_GRACE_SECONDS: '0' })
  const { refresh_token: parent, user } = await register(service.app)
  proxy.loseReply(isRotation)
  const answer = await refresh(service, parent)
  t.match(answer, { status: 200 })
  t.equal((await familyRow(db, user.id)).generation, 2)
})

test('refresh: the HTTP reply is lost after the commit: the client’s retry goes on', async (t) => {
  const service = await startService(t)
  const db = await connect(t, service)
  const { refresh_token: parent, user } = await register(service.app)
  const proxy = await startProxy(t, await service.app.listen({ port: 0, host: '127.0.0.1' }))
  const refreshOverTheWire = () =>
    fetch(new URL('/refresh', proxy.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ refresh_token: parent }),
    })
  proxy.loseReply()
  await t.rejects(refreshOverTheWire(), 'the connection broke')
  t.equal((await familyRow(db, user.id)).generation, 2, 'but the rotation was committed')
  const retry = await refreshOverTheWire()
  t.equal(retry.status, 200)
  const { refresh_token: successor } = (await retry.json()) as { refresh_token: string }
  t.equal((await familyRow(db, user.id)).generation, 2, 'the retry rotates nothing')
  t.equal((await refresh(service, successor)).status, 200)
})

test('sign-in: a lost reply leaves a whole session, and the next sign-in opens another', async (t) => {
  const service = await startService(t)
  const db = await connect(t, service)
  const { email, password, user } = await register(service.app)
  const proxy = await startProxy(t, await service.app.listen({ port: 0, host: '127.0.0.1' }))
  const signIn = () =>
    fetch(new URL('/auth/login', proxy.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password }),
    })
  proxy.loseReply()
  await t.rejects(signIn(), 'the connection broke')
  t.equal((await signIn()).status, 200)
  const families = await db
    .selectFrom('sessions as s')
    .innerJoin('refresh_families as f', 'f.session_id', 's.id')
    .select('f.generation')
    .where('s.user_id', '=', user.id)
    .execute()
  t.equal(families.length, 3, 'registration, the unanswered sign-in, the answered one')
})
