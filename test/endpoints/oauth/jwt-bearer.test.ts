import { decodeJwt, generateKeyPair, SignJWT } from 'jose'
import t from 'tap'
import { connect, register, startService } from '../../support/service.ts'
import { assertionIssuer, jwtBearerGrantType, startAsserting } from './assertions.ts'
import { byOperator, createMachine, oauthError, outcomeOf, postForm } from './requests.ts'

const service = await startService(t)
const { app, deps } = service
const db = await connect(t, service)
const { client, jwks, now, assert, present } = await startAsserting(service)

const invalid = oauthError(400, 'invalid_grant', 'The assertion is not valid')

t.test('a believed assertion gives a token for a subject that is none of ours', async (t) => {
  const answer = await present(await assert())
  const { access_token: token, ...rest } = answer.json()
  t.equal(answer.statusCode, 200)
  t.strictSame(rest, { token_type: 'Bearer', expires_in: 900, scope: 'deploy' })
  const { iat, exp, jti, sub, ...claims } = decodeJwt(token)
  t.match(sub, /^ext_[\w-]{43}$/)
  t.strictSame(claims, {
    ...{ iss: service.config.issuer, aud: 'https://deploy.example' },
    ...{ client_id: client.id, scope: 'deploy' },
  })
  const again = decodeJwt((await present(await assert())).json().access_token)
  t.equal(again.sub, sub, 'the same subject has the same name')
  const other = decodeJwt((await present(await assert({ sub: 'repo:c' }))).json().access_token)
  t.not(other.sub, sub)
})

t.test('an assertion is good once', async (t) => {
  const assertion = await assert()
  t.equal((await present(assertion)).statusCode, 200)
  t.strictSame(outcomeOf(await present(assertion)), invalid)
})

t.test('one that asks for too much is not used up', async (t) => {
  const assertion = await assert()
  t.match(outcomeOf(await present(assertion, { scope: 'read' })), { status: 400 })
  t.equal((await present(assertion)).statusCode, 200)
})

t.test('what comes of an assertion is audited, and why one is refused', async (t) => {
  const jti = crypto.randomUUID()
  await present(await assert({ jti }))
  const [accepted] = await db
    .selectFrom('audit_events')
    .select(['actor', 'client_id', 'details'])
    .where('type', '=', 'assertion.accepted')
    .orderBy('occurred_at', 'desc')
    .limit(1)
    .execute()
  t.strictSame(accepted, {
    ...{ actor: client.id, client_id: client.id },
    details: { issuer: assertionIssuer, jti },
  })
})

const stranger = await generateKeyPair('ES256')
const hmac = (claims: object) =>
  new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'HS256', kid: 'a' })
    .sign(Buffer.from(JSON.stringify(jwks.keys[0])))
const whole = () => ({
  ...{ iss: assertionIssuer, sub: 'x', aud: service.config.issuer, jti: crypto.randomUUID() },
  ...{ iat: now(), exp: now() + 60 },
})
const unsigned = (claims: object): string =>
  `${[{ alg: 'none' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`

const refused: Record<string, () => Promise<string> | string> = {
  'text that is no JWT': () => 'x',
  'no signature': () => unsigned(whole()),
  'a MAC with the public key': () => hmac(whole()),
  'another key': () => assert({}, {}, stranger.privateKey),
  'white space behind it': async () => `${await assert()} `,
  'an unknown issuer': () => assert({ iss: 'https://evil.example' }),
  'no issuer': () => assert({ iss: undefined }),
  'our own name as the issuer': () => assert({ iss: service.config.issuer }),
  'no subject': () => assert({ sub: undefined }),
  'an empty subject': () => assert({ sub: '' }),
  'a subject of too many letters': () => assert({ sub: 'x'.repeat(256) }),
  'no audience': () => assert({ aud: undefined }),
  'another audience': () => assert({ aud: 'https://other.example' }),
  'the token endpoint as audience': () => assert({ aud: `${service.config.issuer}/token` }),
  'us among several audiences': () => assert({ aud: [service.config.issuer, 'https://b.example'] }),
  'no end': () => assert({ exp: undefined }),
  'an end in the past': () => assert({ exp: now() - 1 }),
  'an end too far away': () => assert({ exp: now() + 301 }),
  'a beginning in the future': () => assert({ nbf: now() + 60 }),
  'an issue time in the future': () => assert({ iat: now() + 60 }),
  'no id': () => assert({ jti: undefined }),
  'the type of an access token': () => assert({}, { typ: 'at+jwt' }),
  'the type of a client’s authentication': () => assert({}, { typ: 'client-authentication+jwt' }),
  'the type of a logout token': () => assert({}, { typ: 'logout+jwt' }),
}

for (const [name, make] of Object.entries(refused)) {
  t.test(`an assertion with ${name} is refused, and why is not told`, async (t) => {
    t.strictSame(outcomeOf(await present(await make())), invalid)
  })
}

t.test('what may be asked for is bounded by the issuer and by the client', async (t) => {
  const beyond = oauthError(400, 'invalid_scope', 'The scope is beyond what the issuer may give')
  const target = 'The resource is beyond what the issuer may give'
  for (const scope of ['read', 'account', 'openid']) {
    t.strictSame(outcomeOf(await present(await assert(), { scope })), beyond, scope)
  }
  t.strictSame(
    outcomeOf(await present(await assert(), { resource: 'https://other.example' })),
    oauthError(400, 'invalid_target', target),
  )
})

t.test('a client that the issuer does not name gets nothing', async (t) => {
  const other = await createMachine(deps, {
    grantTypes: [jwtBearerGrantType],
    audience: ['https://deploy.example'],
  })
  const form = { grant_type: jwtBearerGrantType, assertion: await assert() }
  t.strictSame(outcomeOf(await postForm(app, '/token', form, other.headers)), invalid)
  t.equal((await present(form.assertion)).statusCode, 200, 'nor is the assertion used up')
})

t.test('a public client gets nothing', async (t) => {
  const app = await deps.clientAdministration.create(
    { name: 'App', authenticationMethod: 'none', grantTypes: [jwtBearerGrantType] },
    byOperator,
  )
  const form = { grant_type: jwtBearerGrantType, client_id: app.client.id, assertion: 'x' }
  t.strictSame(
    outcomeOf(await postForm(service.app, '/token', form)),
    oauthError(400, 'unauthorized_client', 'A public client cannot present assertions'),
  )
})

t.test('without an assertion', async (t) => {
  t.strictSame(
    outcomeOf(await present('')),
    oauthError(400, 'invalid_request', 'assertion is required'),
  )
})

t.test('an issuer that is removed is believed no more', async (t) => {
  const own = await startAsserting(service, { issuer: 'https://short.example' })
  const claims = { iss: 'https://short.example' }
  t.equal((await own.present(await own.assert(claims))).statusCode, 200)
  await deps.assertionIssuerAdministration.remove('https://short.example', byOperator)
  t.strictSame(outcomeOf(await own.present(await own.assert(claims))), invalid)
})

t.test('an issuer of the legacy kind may name the token endpoint', async (t) => {
  const issuer = 'https://legacy.example'
  const own = await startAsserting(service, { issuer, assertionAudience: 'legacy' })
  const assertion = await own.assert({ iss: issuer, aud: `${service.config.issuer}/token` })
  t.equal((await own.present(assertion)).statusCode, 200)
})

t.test('subjects that are our users must be there and active', async (t) => {
  const issuer = 'https://people.example'
  const own = await startAsserting(service, { issuer, subject: 'user' })
  const person = await register(app)
  const get = async (sub: string) => own.present(await own.assert({ iss: issuer, sub }))
  const { sub, roles } = decodeJwt((await get(person.user.id)).json().access_token)
  t.strictSame([sub, roles], [person.user.id, undefined], 'without what only a sign-in gives')
  for (const name of [crypto.randomUUID(), person.user.email, 'nobody']) {
    t.strictSame(outcomeOf(await get(name)), invalid, name)
  }
  await deps.userAdministration.disableUser(person.user.id, byOperator)
  t.strictSame(outcomeOf(await get(person.user.id)), invalid)
})
