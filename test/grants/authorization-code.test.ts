import { sql } from 'kysely'
import t from 'tap'
import {
  createApp,
  createBrowser,
  goodRequest,
  openBrowser,
  redeem,
  sentTo,
  signIn,
  takeCode,
  toQuery,
  verifier,
} from '../endpoints/oauth/authorization.ts'
import { byOperator, oauthError, outcomeOf, postForm } from '../endpoints/oauth/requests.ts'
import { isAccepted } from '../support/nodes.ts'
import { connect, startService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const service = await startService(t)
const { app: node, deps } = service
const db = await connect(t, service)
const audience = ['https://a.example', 'https://b.example']
const app = await createApp(service, { audience })
const { browser, userId, sessionId } = await openBrowser(service)

const unknown = oauthError(400, 'invalid_grant', 'The code is not valid', { code: 'unknown' })
const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
const eventsOf = async (type: string, clientId: string) => {
  const { rows } = await sql<{ severity: string; details: object }>`
    SELECT severity, details FROM audit_events
    WHERE type = ${type} AND client_id = ${clientId}`.execute(db)
  return rows
}

t.test('the tokens tell of the sign-in, for the session and the whole audience', async (t) => {
  const answer = await redeem(node, app, await takeCode(browser, app, { scope: 'read write' }))
  const tokens = answer.json()
  t.same(Object.keys(tokens).sort(), [
    'access_token',
    'expires_in',
    'refresh_token',
    'scope',
    'token_type',
  ])
  t.match(claimsOf(tokens.access_token), {
    iss: 'http://localhost:4000',
    sub: userId,
    aud: audience,
    client_id: app.id,
    scope: 'read write',
    sid: sessionId,
    amr: ['pwd'],
  })
})

t.test('a refresh continues the family', async (t) => {
  const tokens = (await redeem(node, app, await takeCode(browser, app))).json()
  const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token }
  const refreshed = await postForm(node, '/token', form, app.headers)
  t.equal(refreshed.statusCode, 200)
  const [before, after] = [tokens, refreshed.json()].map((each) => claimsOf(each.access_token))
  t.same([after?.fam, after?.auth_time, after?.sid], [before?.fam, before?.auth_time, sessionId])
})

t.test('a client without refresh tokens gets none; its code can still be taken back', async (t) => {
  const short = await createApp(service, { grantTypes: ['authorization_code'] })
  const code = await takeCode(browser, short)
  const tokens = (await redeem(node, short, code)).json()
  t.equal(tokens.refresh_token, undefined)
  t.type(claimsOf(tokens.access_token).fam, 'string')
  t.equal(await isAccepted(service, tokens.access_token), true)
  await redeem(node, short, code)
  t.equal(await isAccepted(service, tokens.access_token), false)
})

t.test(
  'resource narrows the first access token, and no more than that (RFC 8707 §2.2)',
  async (t) => {
    const code = await takeCode(browser, app)
    t.same(
      outcomeOf(await redeem(node, app, code, { resource: 'https://c.example' })),
      oauthError(400, 'invalid_target', 'The client may not ask for this resource'),
    )
    const narrow = (await redeem(node, app, code, { resource: 'https://b.example' })).json()
    t.equal(claimsOf(narrow.access_token).aud, 'https://b.example')
  },
)

t.test('what was granted for one resource is not redeemed for another', async (t) => {
  const code = await takeCode(browser, app, { resource: 'https://a.example' })
  t.same(
    outcomeOf(await redeem(node, app, code, { resource: 'https://b.example' })),
    oauthError(400, 'invalid_target', 'The resource is beyond what was granted'),
  )
  t.equal(claimsOf((await redeem(node, app, code)).json().access_token).aud, 'https://a.example')
})

t.test('offline_access: only with prompt=consent; its tokens outlive the session', async (t) => {
  const own = createBrowser(node)
  const person = await signIn(service, own)
  const scope = 'read offline_access'
  const plain = (await redeem(node, app, await takeCode(own, app, { scope }))).json()
  t.equal(plain.scope, 'read')
  t.equal(claimsOf(plain.access_token).sid, person.sessionId)

  const asked = { client_id: app.id, ...goodRequest, scope, prompt: 'consent' }
  const waiting = sentTo(await own.get(`/authorize?${toQuery(asked)}`))
  await deps.accounts.ownConsents.grant(
    {
      ...{ userId: person.userId, clientId: app.id, authorizationDetails: [] },
      ...{ scope: ['read', 'offline_access'], audience },
    },
    {},
  )
  const answer = sentTo(await own.get(`/authorize/resume?request=${waiting.parameters.request}`))
  const offline = (await redeem(node, app, answer.parameters.code ?? '')).json()
  t.equal(offline.scope, scope)
  await deps.accounts.ownSessions.end(person.userId, person.sessionId, {})
  const refresh = ({ refresh_token }: { refresh_token: string }) =>
    postForm(node, '/token', { grant_type: 'refresh_token', refresh_token }, app.headers)
  t.equal((await refresh(plain)).statusCode, 400)
  const refreshed = await refresh(offline)
  t.equal(refreshed.statusCode, 200)
  t.equal(claimsOf(refreshed.json().access_token).sid, undefined)
})

type Change = readonly [form: Record<string, string>, expected: ReturnType<typeof oauthError>]
const refused: Record<string, Change> = {
  'another verifier': [{ code_verifier: `${verifier}x` }, unknown],
  'no verifier': [{ code_verifier: '' }, unknown],
  'a malformed verifier': [
    { code_verifier: 'short' },
    oauthError(400, 'invalid_request', 'code_verifier must be 43 to 128 unreserved characters'),
  ],
  'another redirect URI': [{ redirect_uri: 'https://app.example/other' }, unknown],
  'another code': [{ code: 'tac_x' }, unknown],
  'no code': [{ code: '' }, oauthError(400, 'invalid_request', 'code is required')],
}

for (const [name, [form, expected]] of Object.entries(refused)) {
  t.test(`${name} is refused, and does not use the code up`, async (t) => {
    const code = await takeCode(browser, app)
    t.same(outcomeOf(await redeem(node, app, code, form)), expected)
    t.equal((await redeem(node, app, code)).statusCode, 200)
  })
}

t.test('another client is refused, told nothing, and does not use the code up', async (t) => {
  const thief = await createApp(service, { audience })
  const stolen = await takeCode(browser, app)
  t.same(outcomeOf(await redeem(node, thief, stolen)), unknown)
  t.equal((await redeem(node, app, stolen)).statusCode, 200)
  t.same(outcomeOf(await redeem(node, thief, stolen)), unknown)
  await waitUntil('the event of the refused code', async () => {
    const events = (await eventsOf('code.refused', app.id)).map((event) => JSON.stringify(event))
    return events.includes('{"severity":"warning","details":{"reason":"wrong_client"}}')
  })
})

t.test(
  'a code that was redeemed cannot be used against its owner without the verifier',
  async (t) => {
    const own = await createApp(service)
    const code = await takeCode(browser, own)
    const tokens = (await redeem(node, own, code)).json()
    t.same(outcomeOf(await redeem(node, own, code, { code_verifier: `${verifier}x` })), unknown)
    t.equal(await isAccepted(service, tokens.access_token), true)
  },
)

t.test('a second use ends all that the first gave, critically', async (t) => {
  const own = await createApp(service)
  const code = await takeCode(browser, own)
  const tokens = (await redeem(node, own, code)).json()
  const reused = oauthError(
    400,
    'invalid_grant',
    'The code was used before; what it gave has been ended',
    { code: 'reused' },
  )
  t.same(outcomeOf(await redeem(node, own, code)), reused)
  t.same(outcomeOf(await redeem(node, own, code)), reused)
  t.equal(await isAccepted(service, tokens.access_token), false)
  const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token }
  t.match((await postForm(node, '/token', form, own.headers)).json(), { code: 'revoked' })
  t.same(await eventsOf('code.reused', own.id), [{ severity: 'critical', details: {} }])
})

t.test('without PKCE the redirect URI must be named as it was (RFC 6749 §4.1.3)', async (t) => {
  const lax = await createApp(service, { settings: { requirePkce: false } })
  const bare = { code_challenge: undefined, code_challenge_method: undefined }
  const form = { code_verifier: '' }
  const code = await takeCode(browser, lax, bare)
  t.same(outcomeOf(await redeem(node, lax, code, { ...form, redirect_uri: '' })), unknown)
  t.same(outcomeOf(await redeem(node, lax, code)), unknown, 'a verifier without a challenge')
  t.equal((await redeem(node, lax, code, form)).statusCode, 200)

  const unstated = await takeCode(browser, lax, { ...bare, redirect_uri: undefined })
  t.equal((await redeem(node, lax, unstated, { ...form, redirect_uri: '' })).statusCode, 200)
})

t.test('with PKCE it may be left out, but is compared where it stands', async (t) => {
  const code = await takeCode(browser, app)
  t.equal((await redeem(node, app, code, { redirect_uri: '' })).statusCode, 200)
})

t.test('a code is good for a minute', async (t) => {
  const own = await startService(t)
  const client = await createApp(own)
  const signedIn = await openBrowser(own)
  const [first, second] = [
    await takeCode(signedIn.browser, client),
    await takeCode(signedIn.browser, client),
  ]
  own.moveTime(59)
  t.equal((await redeem(own.app, client, first)).statusCode, 200)
  own.moveTime(2)
  t.same(
    outcomeOf(await redeem(own.app, client, second)),
    oauthError(400, 'invalid_grant', 'The code has expired', { code: 'expired' }),
  )
})

const ended = oauthError(
  400,
  'invalid_grant',
  'The person has signed out, or may not sign in any more',
  { code: 'login_ended' },
)
type Person = Awaited<ReturnType<typeof signIn>>
const endings: Record<string, (person: Person) => Promise<unknown>> = {
  'who has signed out': (person) =>
    deps.accounts.ownSessions.end(person.userId, person.sessionId, {}),
  'who was disabled': (person) => deps.userAdministration.disableUser(person.email, byOperator),
  'who has another password': (person) =>
    deps.userAdministration.setPassword(person.email, 'another fine password', byOperator),
}

for (const [who, end] of Object.entries(endings)) {
  t.test(`a code of somebody ${who} gives nothing`, async (t) => {
    const own = createBrowser(node)
    const person = await signIn(service, own)
    const code = await takeCode(own, app)
    await end(person)
    t.same(outcomeOf(await redeem(node, app, code)), ended)
  })
}

t.test('only a digest of a code is kept', async (t) => {
  const code = await takeCode(browser, app)
  const { rows } = await sql<{ row: string }>`
    SELECT c::text AS row FROM authorization_codes c`.execute(db)
  t.ok(rows.length > 0)
  t.notOk(rows.some(({ row }) => row.includes(code.slice(4))))
})

t.test('what was granted and redeemed is told', async (t) => {
  const own = await createApp(service)
  await redeem(node, own, await takeCode(browser, own, { scope: 'read' }))
  t.match(await eventsOf('authorization.granted', own.id), [{ details: { scope: 'read' } }])
  t.equal((await eventsOf('code.redeemed', own.id)).length, 1)
  t.equal((await eventsOf('family.created', own.id)).length, 1)
})
