import { createLocalJWKSet, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { loopbackClients, startLogoutReceiver } from '../support/logout-receiver.ts'
import { startNodes } from '../support/nodes.ts'
import { claimsIn, createRelyingParty, obtainTokens, seedSession } from '../support/openid.ts'
import { connect, register, startService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const origin = {}
const often = { logoutIntervalMs: 50 }
const service = await startService(t, loopbackClients, often)
const { app, deps, config, moveTime } = service
const db = await connect(t, service)

/** A person with a session that an app has been told of, and the app's own end of it. */
const signIn = async (t: Test, settings: Parameters<typeof createRelyingParty>[1] = {}) => {
  const receiver = await startLogoutReceiver(t)
  const party = await createRelyingParty(service, {
    backchannelLogoutUri: receiver.uri,
    ...settings,
  })
  const { user } = await register(app)
  const sessionId = await seedSession(db, user.id)
  const tokens = await obtainTokens(service, db, party, { userId: user.id, sessionId })
  return { receiver, party, user, sessionId, tokens }
}

t.test('the app gets a logout token of its own kind (Back-Channel Logout §2.4)', async (t) => {
  const { receiver, party, user, sessionId } = await signIn(t, {
    idTokenSignedResponseAlg: 'ES256',
  })
  await deps.accounts.ownSessions.end(user.id, sessionId, origin)
  const token = await waitUntil('the logout token', () => receiver.tokens[0])
  const jwks = createLocalJWKSet((await app.inject('/.well-known/jwks.json')).json())
  const { payload, protectedHeader } = await jwtVerify(token, jwks, {
    issuer: config.issuer,
    audience: party.id,
  })
  t.match(protectedHeader, { alg: 'ES256', typ: 'logout+jwt' })
  const { iat, exp, jti, ...rest } = payload
  t.equal(Number(exp) - Number(iat), 120)
  t.match(jti, /^[0-9a-f-]{36}$/)
  t.strictSame(rest, {
    ...{ iss: config.issuer, sub: user.id, aud: party.id, sid: sessionId },
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
  })
  t.equal(
    (await app.inject({ url: '/userinfo', headers: { authorization: `Bearer ${token}` } }))
      .statusCode,
    401,
    'and it is good for nothing else',
  )
})

t.test('a pairwise app is told by the name that it knows', async (t) => {
  const { receiver, user, sessionId, tokens } = await signIn(t, { subjectType: 'pairwise' })
  await deps.accounts.ownSessions.end(user.id, sessionId, origin)
  const token = await waitUntil('the logout token', () => receiver.tokens[0])
  t.equal(claimsIn(token).sub, claimsIn(tokens.id_token).sub)
  t.not(claimsIn(token).sub, user.id)
})

const by = { actor: 'cli', origin }
const endings: Record<string, (userId: string, sessionId: string) => Promise<unknown>> = {
  'the person signs out everywhere': (userId) => deps.accounts.ownSessions.endAll(userId, origin),
  'the account is disabled': (userId) => deps.userAdministration.disableUser(userId, by),
  'an operator ends the sessions': (userId) => deps.userAdministration.endSessions(userId, by),
  'the account is deleted': (userId) => deps.userAdministration.deleteUser(userId, by),
}
for (const [title, end] of Object.entries(endings)) {
  t.test(`apps are told when ${title}, whatever outlives the session`, async (t) => {
    const { receiver, party, user, sessionId } = await signIn(t)
    const scope = ['openid', 'offline_access']
    await obtainTokens(service, db, party, { userId: user.id, sessionId, scope })
    const single = await startLogoutReceiver(t)
    const codeOnly = await createRelyingParty(
      service,
      { backchannelLogoutUri: single.uri },
      { grantTypes: ['authorization_code'] },
    )
    await obtainTokens(service, db, codeOnly, { userId: user.id, sessionId })
    await end(user.id, sessionId)
    await waitUntil('both logout tokens', () => receiver.tokens[0] && single.tokens[0])
    t.equal(claimsIn(receiver.tokens[0] ?? '').sid, sessionId)
    t.equal(claimsIn(single.tokens[0] ?? '').aud, codeOnly.id, 'without a refresh token too')
  })
}

t.test('who fails is told again, later and later; who has heard it is not', async (t) => {
  const { receiver, user, sessionId } = await signIn(t)
  receiver.state.answer = (response) => response.writeHead(503).end()
  await deps.accounts.ownSessions.end(user.id, sessionId, origin)
  const attempts = () =>
    db
      .selectFrom('logout_notices')
      .select(['attempts', 'delivered_at', 'next_attempt_at'])
      .where('session_id', '=', sessionId)
      .executeTakeFirstOrThrow()
  await waitUntil('the first attempt', () => receiver.tokens.length === 1)
  moveTime(16)
  await waitUntil('the second attempt', () => receiver.tokens.length === 2)
  receiver.state.answer = (response) => response.writeHead(204).end()
  moveTime(31)
  await waitUntil('its success', async () => (await attempts()).delivered_at)
  t.match(await attempts(), { attempts: 3, next_attempt_at: null })
  t.equal(new Set(receiver.tokens.map((token) => claimsIn(token).jti)).size, 3)
})

t.test('an app that never answers keeps no other waiting', async (t) => {
  const slow = await signIn(t)
  slow.receiver.state.answer = () => {}
  const { user, sessionId, party } = slow
  const more = await seedSession(db, user.id)
  await obtainTokens(service, db, party, { userId: user.id, sessionId: more })
  const quick = await startLogoutReceiver(t)
  const other = await createRelyingParty(service, { backchannelLogoutUri: quick.uri })
  await obtainTokens(service, db, other, { userId: user.id, sessionId: more })

  await deps.accounts.ownSessions.end(user.id, sessionId, origin)
  await waitUntil('the slow app to be asked', () => slow.receiver.tokens.length === 1)
  const startedAt = performance.now()
  await deps.accounts.ownSessions.end(user.id, more, origin)
  await waitUntil('the quick app to be told', () => quick.tokens.length === 1)
  t.ok(performance.now() - startedAt < 4000, 'before the slow one is given up')
  t.equal(slow.receiver.tokens.length, 1, 'which is told one thing at a time')
})

t.test('of two nodes one tells each app, once', async (t) => {
  const [first, second] = await startNodes(t, loopbackClients, often)
  const db = await connect(t, first)
  const receiver = await startLogoutReceiver(t)
  const { user } = await register(first.app)
  const sessionId = await seedSession(db, user.id)
  for (let count = 0; count < 12; count += 1) {
    const party = await createRelyingParty(first, { backchannelLogoutUri: receiver.uri })
    await obtainTokens(first, db, party, { userId: user.id, sessionId })
  }
  await Promise.all(
    [first, second].map(({ deps }) => deps.accounts.ownSessions.end(user.id, sessionId, origin)),
  )
  const open = () =>
    db.selectFrom('logout_notices').select('id').where('delivered_at', 'is', null).execute()
  await waitUntil(
    'all to be told',
    async () => {
      const told = new Set(receiver.tokens.map((token) => claimsIn(token).aud))
      return told.size === 12 && (await open()).length === 0
    },
    { timeoutMs: 5000 },
  )
  t.equal(receiver.tokens.length, 12)
})
