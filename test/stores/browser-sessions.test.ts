import { randomBytes, randomUUID } from 'node:crypto'
import type { NewBrowserSession } from '../../src/accounts/session-store.ts'
import { act, newSession, newUser, openAccountStores } from '../accounts/account-rows.ts'
import { storeContract } from '../support/store-contract.ts'

const { rule, run } = storeContract('browser sessions')
const idleSeconds = 600

const browserSession = (rest: Partial<NewBrowserSession> = {}): NewBrowserSession => ({
  id: randomUUID(),
  amr: ['pwd'],
  ttlSeconds: 3600,
  limit: 100,
  cookieDigest: randomBytes(32),
  keptDigests: [],
  ...rest,
})

rule('a sign-in opens a session without tokens, known by its secret', async (t, backend) => {
  const { createUser, sessions, events } = await openAccountStores(backend)
  const user = await createUser({ name: 'Jo Doe' })
  const session = browserSession()
  const proof = { userId: user.id, credentialEpoch: 1 }
  const opened = await sessions.signIn(proof, session, act)
  t.match(opened, { sessionId: session.id, scope: [], audience: [], endedSessions: 0 })
  t.strictSame(await sessions.findOfBrowser([session.cookieDigest], idleSeconds), [
    {
      id: session.id,
      userId: user.id,
      email: user.email,
      name: 'Jo Doe',
      authTime: opened?.now,
      amr: ['pwd'],
      acr: 'urn:tessera:pwd',
      mustChangePassword: false,
    },
  ])
  t.strictSame(await sessions.findOfBrowser([randomBytes(32)], idleSeconds), [])
  t.strictSame(await sessions.findOfBrowser([], idleSeconds), [])
  t.strictSame(await backend.db.selectFrom('refresh_families').selectAll().execute(), [])
  const told = (await events(user.id)).filter((each) => each.session_id === session.id)
  t.strictSame(
    told.map(({ type }) => type),
    ['session.created', 'sign_in.succeeded'],
  )
  t.match(await sessions.list(user.id, undefined), [{ id: session.id }])
})

rule('a registration opens one too', async (t, backend) => {
  const { sessions } = await openAccountStores(backend)
  const session = browserSession()
  t.match(await sessions.register(newUser(), session, act), { sessionId: session.id })
  t.match(await sessions.findOfBrowser([session.cookieDigest], idleSeconds), [{ id: session.id }])
})

rule(
  'authenticating again in the same browser renews the session, and its old secret is worth nothing (ASVS 5.0 7.2.4)',
  async (t, backend) => {
    const { createUser, sessions } = await openAccountStores(backend)
    const { id: userId } = await createUser()
    const proof = { userId, credentialEpoch: 1 }
    const first = browserSession()
    await sessions.signIn(proof, first, act)
    backend.moveTime(60)
    const second = browserSession({ keptDigests: [randomBytes(32), first.cookieDigest] })
    const opened = await sessions.signIn(proof, second, act)
    t.equal(opened?.sessionId, first.id, 'what clients have of the session lives on')
    t.strictSame(await sessions.findOfBrowser([first.cookieDigest], idleSeconds), [])
    const [found] = await sessions.findOfBrowser([second.cookieDigest], idleSeconds)
    t.match(found, { id: first.id, authTime: opened?.now })
    t.equal((await sessions.list(userId, undefined)).length, 1)
  },
)

rule('somebody else in the same browser gets a session beside the first', async (t, backend) => {
  const { createUser, sessions } = await openAccountStores(backend)
  const [jo, kim] = [await createUser(), await createUser()]
  const first = browserSession()
  await sessions.signIn({ userId: jo.id, credentialEpoch: 1 }, first, act)
  backend.moveTime(10)
  const second = browserSession({ keptDigests: [first.cookieDigest] })
  await sessions.signIn({ userId: kim.id, credentialEpoch: 1 }, second, act)
  const digests = [first.cookieDigest, second.cookieDigest]
  t.match(await sessions.findOfBrowser(digests, idleSeconds), [
    { id: second.id, userId: kim.id },
    { id: first.id, userId: jo.id },
  ])
})

rule('a session that was ended is not taken up again', async (t, backend) => {
  const { createUser, sessions } = await openAccountStores(backend)
  const { id: userId } = await createUser()
  const proof = { userId, credentialEpoch: 1 }
  const first = browserSession()
  await sessions.signIn(proof, first, act)
  await sessions.end(userId, first.id, act)
  const second = browserSession({ keptDigests: [first.cookieDigest] })
  const opened = await sessions.signIn(proof, second, act)
  t.equal(opened?.sessionId, second.id)
})

rule('ended, expired, idle and disabled: found no more', async (t, backend) => {
  const { createUser, sessions, users } = await openAccountStores(backend)
  const open = async (rest: Partial<NewBrowserSession> = {}) => {
    const { id: userId } = await createUser()
    const session = browserSession(rest)
    await sessions.signIn({ userId, credentialEpoch: 1 }, session, act)
    const find = () => sessions.findOfBrowser([session.cookieDigest], idleSeconds)
    return { userId, id: session.id, find }
  }
  const [ended, disabled, short, idle, seen] = [
    await open(),
    await open(),
    await open({ ttlSeconds: 300 }),
    await open(),
    await open(),
  ]
  for (const each of [ended, disabled, short, idle, seen]) t.equal((await each.find()).length, 1)
  await sessions.end(ended.userId, ended.id, act)
  await users.disable(disabled.userId, act)
  t.strictSame(await ended.find(), [])
  t.strictSame(await disabled.find(), [])
  backend.moveTime(299)
  t.equal((await short.find()).length, 1)
  t.equal((await seen.find()).length, 1, 'seen, and noted')
  backend.moveTime(1)
  t.strictSame(await short.find(), [], 'expired')
  backend.moveTime(299)
  t.equal((await seen.find()).length, 1)
  backend.moveTime(1)
  t.strictSame(await idle.find(), [], 'not seen for too long')
  t.equal((await seen.find()).length, 1, 'each visit counts')
})

rule('who must change the password is told apart', async (t, backend) => {
  const { createUser, sessions } = await openAccountStores(backend)
  const { id: userId } = await createUser({ initialPasswordSeconds: 3600 })
  const session = browserSession()
  await sessions.signIn({ userId, credentialEpoch: 1 }, session, act)
  t.match(await sessions.findOfBrowser([session.cookieDigest], idleSeconds), [
    { id: session.id, mustChangePassword: true },
  ])
})

rule('a session by the API is none of a browser', async (t, backend) => {
  const { createUser, sessions } = await openAccountStores(backend)
  const { id: userId } = await createUser()
  await sessions.signIn({ userId, credentialEpoch: 1 }, newSession(userId), act)
  t.strictSame(await sessions.findOfBrowser([randomBytes(32)], idleSeconds), [])
})

run()
