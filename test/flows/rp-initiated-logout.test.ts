import { randomBytes } from 'node:crypto'
import * as openid from 'openid-client'
import t from 'tap'
import { formsOf } from '../support/html-forms.ts'
import { createRelyingParty, obtainTokens, refreshTokens, seedSession } from '../support/openid.ts'
import { connect, register, startService } from '../support/service.ts'

const service = await startService(t)
const { app, config, deps, moveTime } = service
const db = await connect(t, service)
const after = 'https://app.example/signed-out'
const party = await createRelyingParty(service, { postLogoutRedirectUris: [after] })

/** A browser in which somebody is signed in, and an app that they use. */
const signIn = async (cookies: readonly string[] = []) => {
  const { user } = await register(app)
  const secret = randomBytes(32).toString('base64url')
  const sessionId = await seedSession(db, user.id, secret)
  const scope = ['openid']
  const tokens = await obtainTokens(service, db, party, { userId: user.id, sessionId, scope })
  return { user, sessionId, tokens, cookies: [secret, ...cookies] }
}

const cookieOf = (secrets: readonly string[]) => ({
  cookie: `tessera_session=${secrets.join('.')}`,
})
const open = (query: Record<string, string>, secrets: readonly string[] = []) =>
  app.inject({
    url: `/logout?${new URLSearchParams(query)}`,
    headers: secrets.length === 0 ? {} : cookieOf(secrets),
  })
const isLive = async (sessionId: string): Promise<boolean> => {
  const row = await db
    .selectFrom('sessions')
    .select('ended_at')
    .where('id', '=', sessionId)
    .executeTakeFirstOrThrow()
  return row.ended_at === null
}

t.test('an app that knows who is signed in signs them out without a question', async (t) => {
  const { sessionId, tokens, cookies } = await signIn()
  // What an independent library makes of our metadata.
  const metadata = (await app.inject('/.well-known/openid-configuration')).json()
  const configuration = new openid.Configuration(metadata, party.id)
  openid.allowInsecureRequests(configuration)
  const url = openid.buildEndSessionUrl(configuration, {
    id_token_hint: tokens.id_token,
    post_logout_redirect_uri: after,
    state: 'a b',
  })
  t.equal(url.origin + url.pathname, `${config.issuer}/logout`)
  const answer = await app.inject({ url: url.pathname + url.search, headers: cookieOf(cookies) })
  t.equal(answer.statusCode, 303)
  t.equal(answer.headers.location, `${after}?state=a+b`)
  t.match(
    answer.headers['set-cookie'],
    /^tessera_session=;.*(?:Max-Age=0|Expires=Thu, 01 Jan 1970)/,
  )
  t.notOk(await isLive(sessionId))
  await t.rejects(refreshTokens(service, party, tokens.refresh_token), /invalid_grant/)
  const info = { url: '/userinfo', headers: { authorization: `Bearer ${tokens.access_token}` } }
  t.equal((await app.inject(info)).statusCode, 401, 'at once')
})

t.test('a hint is good however long ago it expired', async (t) => {
  const { sessionId, tokens, cookies } = await signIn()
  moveTime(3600)
  const query = { id_token_hint: tokens.id_token, post_logout_redirect_uri: after }
  t.equal((await open(query, cookies)).headers.location, after)
  t.notOk(await isLive(sessionId))
  moveTime(-3600)
})

t.test('what outlives the session goes on; what belongs to it ends', async (t) => {
  const { user, sessionId, tokens, cookies } = await signIn()
  const granted = { userId: user.id, sessionId, scope: ['openid', 'offline_access'] }
  const offline = await obtainTokens(service, db, party, granted)
  await open({ id_token_hint: tokens.id_token }, cookies)
  await t.rejects(refreshTokens(service, party, tokens.refresh_token), /invalid_grant/)
  await t.resolves(refreshTokens(service, party, offline.refresh_token))
})

t.test('of two people only the one who is meant is signed out', async (t) => {
  const first = await signIn()
  const second = await signIn(first.cookies)
  const answer = await open({ id_token_hint: first.tokens.id_token }, second.cookies)
  t.match(answer.body, 'id="signed-out"')
  t.notMatch(String(answer.headers['set-cookie']), 'tessera_session', 'the other one is kept')
  t.notOk(await isLive(first.sessionId))
  t.ok(await isLive(second.sessionId))
})

const question = async (query: Record<string, string>, secrets: readonly string[]) => {
  const page = await open(query, secrets)
  if (page.statusCode !== 200) throw new Error(`no question: ${page.body}`)
  const [form] = formsOf(page.body)
  const fields = Object.fromEntries(form?.fields ?? [])
  const [browser = ''] = [page.headers['set-cookie'] ?? []].flat()
  const cookie = `${cookieOf(secrets).cookie}; ${browser.split(';')[0]}`
  const answer = (decision: string, change: Record<string, string> = {}, origin = config.issuer) =>
    app.inject({
      method: 'POST',
      url: form?.action ?? '',
      headers: { cookie, origin, 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ ...fields, decision, ...change }).toString(),
    })
  return { page, fields, answer }
}

t.test('whoever cannot say who is signed in has the person asked (ASVS 10.6.2)', async (t) => {
  const { user, sessionId, cookies } = await signIn()
  const stranger = await signIn()
  const bare = { client_id: party.id, post_logout_redirect_uri: after, state: 's' }
  const foreign = { id_token_hint: stranger.tokens.id_token }
  for (const query of [{}, bare, foreign] as Record<string, string>[]) {
    const { page } = await question(query, cookies)
    t.match(page.body, 'id="asked"')
    t.match(page.body, user.email)
    t.ok(await isLive(sessionId), 'nothing is done before')
  }
  t.ok(await isLive(stranger.sessionId))

  const { page, answer, fields } = await question(bare, cookies)
  t.match(
    page.headers['content-security-policy'],
    /form-action 'self' https:\/\/app\.example/,
    'the way back is open',
  )
  t.match(fields, bare)
  t.equal((await answer('deny')).headers.location, '/account')
  t.ok(await isLive(sessionId))
  const done = await answer('allow')
  t.equal(done.statusCode, 303)
  t.equal(done.headers.location, `${after}?state=s`)
  t.notOk(await isLive(sessionId))
})

t.test(
  'the form is good for our own page in this browser alone, and nowhere else to go',
  async (t) => {
    const { sessionId, cookies } = await signIn()
    const query = { client_id: party.id, post_logout_redirect_uri: after }
    const { answer } = await question(query, cookies)
    const evil = 'https://evil.example/'
    for (const refused of [
      await answer('allow', {}, 'https://evil.example'),
      await answer('allow', { csrf_token: 'x' }),
      await answer('allow', { post_logout_redirect_uri: evil }),
    ]) {
      t.ok([400, 403].includes(refused.statusCode))
      t.equal(refused.headers.location, undefined)
      t.ok(await isLive(sessionId))
    }
  },
)

t.test('a POST of the app is as good as a GET: the browser goes on to that', async (t) => {
  const answer = await app.inject({
    method: 'POST',
    url: '/logout',
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://app.example' },
    payload: new URLSearchParams({ client_id: party.id, state: 'x y', other: '1' }).toString(),
  })
  t.equal(answer.statusCode, 303)
  t.equal(answer.headers.location, `/logout?client_id=${party.id}&state=x+y`)
})

t.test('without a session there is nothing to ask', async (t) => {
  t.match((await open({})).body, 'id="signed-out"')
  const query = { client_id: party.id, post_logout_redirect_uri: after }
  t.equal((await open(query)).headers.location, after)
})

t.test('what is refused ends nothing and leads nowhere', async (t) => {
  const { sessionId, tokens, cookies } = await signIn()
  const other = await createRelyingParty(service, {
    postLogoutRedirectUris: ['https://b.example/'],
  })
  const disabled = await createRelyingParty(service)
  await deps.clientAdministration.disable(disabled.id, { actor: 'cli', origin: {} })
  const hint = { id_token_hint: tokens.id_token }
  const bad: Record<string, Record<string, string>> = {
    'the hint of another client': { ...hint, client_id: other.id },
    'an access token as a hint': { id_token_hint: tokens.access_token },
    'a hint that was changed': { id_token_hint: `${tokens.id_token.slice(0, -8)}AAAAAAAA` },
    'no JWT as a hint': { id_token_hint: 'x' },
    'an unknown client': { client_id: 'nobody' },
    'a disabled client': { client_id: disabled.id },
    'a URI of nobody': { post_logout_redirect_uri: after },
    'a URI of another client': { ...hint, post_logout_redirect_uri: 'https://b.example/' },
    'a URI with more behind it': { ...hint, post_logout_redirect_uri: `${after}/` },
    'a URI in other letters': { ...hint, post_logout_redirect_uri: after.toUpperCase() },
    'a URI without its path': { ...hint, post_logout_redirect_uri: 'https://app.example' },
  }
  const requests = Object.entries(bad).map(
    ([title, query]) => [title, open(query, cookies)] as const,
  )
  const twice = app.inject({
    url: `/logout?id_token_hint=${tokens.id_token}&state=1&state=2`,
    headers: cookieOf(cookies),
  })
  const text = app.inject({ url: '/logout?state=%ff', headers: cookieOf(cookies) })
  for (const [title, request] of [
    ...requests,
    ['a repeated parameter', twice] as const,
    ['bytes that are no text', text] as const,
  ]) {
    const answer = await request
    t.equal(answer.statusCode, 400, title)
    t.equal(answer.headers.location, undefined, title)
    t.match(answer.headers['content-type'], /^text\/html/)
  }
  t.ok(await isLive(sessionId))
})

t.test('a client that registered itself gets a link, and no browser without a click', async (t) => {
  const stranger = await createRelyingParty(service, { postLogoutRedirectUris: [after] })
  await db
    .updateTable('clients')
    .set({ registered_by: 'open' })
    .where('id', '=', stranger.id)
    .execute()
  deps.clients.invalidate(stranger.id)
  const query = { client_id: stranger.id, post_logout_redirect_uri: after, state: 's' }
  const answer = await open(query)
  t.equal(answer.statusCode, 200)
  t.equal(answer.headers.location, undefined)
  t.match(answer.body, `href="${after}?state=s"`)
})
