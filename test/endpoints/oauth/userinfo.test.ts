import { createLocalJWKSet, jwtVerify } from 'jose'
import t from 'tap'
import { claimsIn, createRelyingParty, obtainTokens, seedSession } from '../../support/openid.ts'
import { connect, register, startService } from '../../support/service.ts'
import { createMachine, oauthError, outcomeOf, postForm } from './requests.ts'

const service = await startService(t)
const { app, deps, config, moveTime } = service
const db = await connect(t, service)
const { user, access_token: ownToken } = await register(app)
const sessionId = await seedSession(db, user.id)
const granted = { userId: user.id, sessionId }
const party = await createRelyingParty(service)

const ask = (token: string, method: 'GET' | 'POST' = 'GET') =>
  app.inject({ method, url: '/userinfo', headers: { authorization: `Bearer ${token}` } })
const tokenFor = async (scope: readonly string[]) =>
  (await obtainTokens(service, db, party, { ...granted, scope })).access_token

t.test('each scope tells what it stands for, fresh from the account', async (t) => {
  await db
    .updateTable('users')
    .set({ name: 'Ada Lovelace', given_name: 'Ada', family_name: 'Lovelace', username: 'ada' })
    .where('id', '=', user.id)
    .execute()
  const row = await db.selectFrom('users').selectAll().where('id', '=', user.id).executeTakeFirst()
  const profile = {
    name: 'Ada Lovelace',
    given_name: 'Ada',
    family_name: 'Lovelace',
    preferred_username: 'ada',
    updated_at: Math.floor(Number(row?.updated_at) / 1000),
  }
  const email = { email: user.email, email_verified: false }
  const sub = user.id
  t.strictSame((await ask(await tokenFor(['openid']))).json(), { sub })
  t.strictSame((await ask(await tokenFor(['openid', 'profile']))).json(), { sub, ...profile })
  const all = await tokenFor(['openid', 'profile', 'email'])
  for (const method of ['GET', 'POST'] as const) {
    const answer = await ask(all, method)
    t.equal(answer.statusCode, 200)
    t.match(answer.headers, {
      'content-type': /^application\/json/,
      'cache-control': 'no-store',
    })
    t.strictSame(answer.json(), { sub, ...profile, ...email })
  }
  const inForm = await postForm(app, '/userinfo', { access_token: all })
  t.strictSame(inForm.json(), { sub, ...profile, ...email })

  await db.updateTable('users').set({ name: 'Ada King' }).where('id', '=', user.id).execute()
  t.equal((await ask(all)).json().name, 'Ada King')
})

t.test('claims that were asked for one by one, with a refresh token and without', async (t) => {
  const claims = { userinfo: { email: null, given_name: { value: 'Eve' } } }
  const withFamily = await obtainTokens(service, db, party, { ...granted, claims })
  t.strictSame((await ask(withFamily.access_token)).json(), { sub: user.id, email: user.email })

  const single = await createRelyingParty(service, {}, { grantTypes: ['authorization_code'] })
  const tokens = await obtainTokens(service, db, single, { ...granted, claims })
  t.notOk('refresh_token' in tokens)
  t.strictSame((await ask(tokens.access_token)).json(), { sub: user.id, email: user.email })
})

t.test('a signed answer names issuer and client (Core §5.3.2)', async (t) => {
  const signed = await createRelyingParty(service, { userinfoSignedResponseAlg: 'ES256' })
  const tokens = await obtainTokens(service, db, signed, { ...granted, scope: ['openid', 'email'] })
  const answer = await ask(tokens.access_token)
  t.equal(answer.statusCode, 200)
  t.match(answer.headers['content-type'], /^application\/jwt/)
  const jwks = createLocalJWKSet((await app.inject('/.well-known/jwks.json')).json())
  const { payload, protectedHeader } = await jwtVerify(answer.body, jwks)
  t.equal(protectedHeader.alg, 'ES256')
  t.strictSame(payload, {
    ...{ sub: user.id, iss: config.issuer, aud: signed.id },
    ...{ email: user.email, email_verified: false },
  })
})

t.test('a pairwise client gets the subject of its ID token', async (t) => {
  const pairwise = await createRelyingParty(service, { subjectType: 'pairwise' })
  const tokens = await obtainTokens(service, db, pairwise, {
    ...granted,
    scope: ['openid', 'email'],
  })
  const { sub } = claimsIn(tokens.id_token)
  t.not(sub, user.id)
  t.strictSame((await ask(tokens.access_token)).json(), {
    ...{ sub, email: user.email, email_verified: false },
  })
})

const challenge = (error?: string) =>
  `Bearer realm="${config.issuer}"${error === undefined ? '' : `, error="${error}"`}`
const invalid = oauthError(401, 'invalid_token', 'The access token is not valid', {
  challenge: challenge('invalid_token'),
})

t.test('what is refused, with its challenge (RFC 6750 §3)', async (t) => {
  const machine = await createMachine(deps, {
    scope: ['openid'],
    grantTypes: ['client_credentials'],
  })
  const machineToken = await postForm(
    app,
    '/token',
    { grant_type: 'client_credentials', scope: 'openid' },
    machine.headers,
  )
  const tokens = await obtainTokens(service, db, party, granted)
  const narrow = oauthError(403, 'insufficient_scope', 'The access token lacks the scope openid', {
    challenge: `${challenge('insufficient_scope')}, scope="openid"`,
  })
  t.same(outcomeOf(await ask(await tokenFor(['profile']))), narrow, 'without openid')
  t.same(outcomeOf(await ask(ownToken)), narrow, 'a token of our own API')
  t.same(outcomeOf(await ask(machineToken.json().access_token)), narrow, 'a machine')
  t.same(outcomeOf(await ask(tokens.id_token)), invalid, 'an ID token')
  t.same(outcomeOf(await ask(tokens.refresh_token)), invalid, 'a refresh token')
  t.same(outcomeOf(await ask('x')), invalid)
  t.same(
    outcomeOf(await app.inject('/userinfo')),
    oauthError(401, 'invalid_token', 'An access token is needed', { challenge: challenge() }),
    'no token',
  )
  t.same(
    outcomeOf(await app.inject(`/userinfo?access_token=${tokens.access_token}`)),
    oauthError(401, 'invalid_token', 'An access token is needed', { challenge: challenge() }),
    'never in the query',
  )
  for (const authorization of ['Bearer', 'Bearer  ', 'Bearer a b', 'Basic eDp5', 'Bearer ü']) {
    const answer = await app.inject({ url: '/userinfo', headers: { authorization } })
    t.same(
      outcomeOf(answer),
      oauthError(400, 'invalid_request', 'The Authorization header is malformed', {
        challenge: challenge('invalid_request'),
      }),
      authorization,
    )
  }
  const twice = await postForm(
    app,
    '/userinfo',
    { access_token: tokens.access_token },
    { authorization: `Bearer ${tokens.access_token}` },
  )
  t.same(
    outcomeOf(twice),
    oauthError(400, 'invalid_request', 'The access token is presented twice', {
      challenge: challenge('invalid_request'),
    }),
  )
})

t.test('scripts of the client’s own origins may read the answer, others may not', async (t) => {
  const origin = 'https://spa.example'
  const spa = await createRelyingParty(service, {}, { corsOrigins: [origin] })
  const { access_token } = await obtainTokens(service, db, spa, granted)
  const from = async (each: string, token: string) => {
    const headers = { origin: each, authorization: `Bearer ${token}` }
    const answer = await app.inject({ url: '/userinfo', headers })
    return answer.headers['access-control-allow-origin']
  }
  t.equal(await from(origin, access_token), origin)
  t.equal(await from('https://evil.example', access_token), undefined)
  t.equal(await from(origin, await tokenFor(['openid'])), undefined, 'with another client’s token')
})

t.test('nothing is told of whom was disabled, or once the token has expired', async (t) => {
  const other = await register(app)
  const session = await seedSession(db, other.user.id)
  const { access_token } = await obtainTokens(service, db, party, {
    ...{ userId: other.user.id, sessionId: session },
  })
  t.equal((await ask(access_token)).statusCode, 200)
  await db
    .updateTable('users')
    .set({ status: 'disabled' })
    .where('id', '=', other.user.id)
    .execute()
  t.same(outcomeOf(await ask(access_token)), invalid)

  const late = await tokenFor(['openid'])
  moveTime(config.accessTokenTtlSeconds + 1)
  await deps.revocations.ensureFresh(0)
  t.same(outcomeOf(await ask(late)), invalid)
})
