import { decodeJwt } from 'jose'
import t from 'tap'
import { connect, startService } from '../../support/service.ts'
import {
  byOperator,
  createMachine,
  type Form,
  oauthError,
  outcomeOf,
  postForm,
} from './requests.ts'

const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange'
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
const jwtType = 'urn:ietf:params:oauth:token-type:jwt'
const [front, middle, back] = ['https://front.example', 'https://m.example', 'https://b.example']

const service = await startService(t)
const { app, deps } = service
const db = await connect(t, service)

/** The app whose tokens reach the middle service, which exchanges them for the one behind it. */
const origin = await createMachine(deps, {
  grantTypes: ['client_credentials'],
  scope: ['read', 'write', 'pay'],
  audience: [middle, front],
})
const exchanger = await createMachine(deps, {
  grantTypes: [grantType, 'client_credentials'],
  scope: ['read', 'write', 'account', 'openid'],
  audience: [back, middle],
  resourceServer: [middle],
})

const tokenOf = async (
  { headers }: { headers: Record<string, string> },
  form: object = {},
): Promise<string> => {
  const answer = await postForm(
    app,
    '/token',
    { grant_type: 'client_credentials', ...form },
    headers,
  )
  return answer.json().access_token
}

/** A token of ours with claims that no grant of this file would give. */
const sign = async (claims: object): Promise<string> => {
  const now = Math.floor(deps.clock().getTime() / 1000)
  return deps.keyRing.sign('RS256', 'at+jwt', {
    ...{ iss: service.config.issuer, sub: 'somebody', aud: middle, client_id: origin.id },
    ...{ jti: crypto.randomUUID(), iat: now, exp: now + 600, scope: 'read write', ...claims },
  })
}

const exchange = async (form: Form & object, headers: Record<string, string> = exchanger.headers) =>
  postForm(
    app,
    '/token',
    { grant_type: grantType, subject_token_type: accessTokenType, ...form },
    headers,
  )

const claimsOf = (token: string): Record<string, unknown> => {
  const { jti, iat, ...claims } = decodeJwt(token)
  return claims
}

t.test('a service gets a token for the next one, and is named as who acts', async (t) => {
  const subject_token = await tokenOf(origin, { resource: middle })
  const form = { subject_token, resource: back, requested_token_type: accessTokenType }
  const answer = await exchange(form)

  const { access_token: token, expires_in, ...rest } = answer.json()
  const { iat = 0, exp = 0 } = decodeJwt(token)
  t.equal(expires_in, exp - iat)
  t.equal(answer.statusCode, 200)
  t.equal(answer.headers['cache-control'], 'no-store')
  t.strictSame(rest, {
    ...{ token_type: 'Bearer', scope: 'read write' },
    issued_token_type: accessTokenType,
  })
  t.strictSame(claimsOf(token), {
    iss: service.config.issuer,
    ...{ sub: origin.id, aud: back, client_id: exchanger.id, scope: 'read write' },
    ...{ exp: decodeJwt(subject_token).exp, act: { sub: exchanger.id } },
  })
})

t.test('the audience may be named by audience, and by both parameters together', async (t) => {
  const subject_token = await tokenOf(origin, { resource: middle })
  const one = (await exchange({ subject_token, audience: back })).json()
  t.equal(claimsOf(one.access_token).aud, back)
  const both = (await exchange({ subject_token, resource: middle, audience: back })).json()
  t.strictSame(claimsOf(both.access_token).aud, [middle, back])
})

t.test('a user stays the subject, with session, family and how they signed in', async (t) => {
  const auth_time = Math.floor(deps.clock().getTime() / 1000) - 60
  const login = { auth_time, amr: ['pwd'], acr: 'urn:x', roles: ['user'], permissions: ['a.b'] }
  const ids = { sid: crypto.randomUUID(), fam: crypto.randomUUID() }
  const subject_token = await sign({ sub: 'user-1', ...login, ...ids, scope: 'read account' })
  const { access_token: token } = (await exchange({ subject_token, resource: back })).json()
  t.strictSame(claimsOf(token), {
    ...{ iss: service.config.issuer, sub: 'user-1', aud: back, client_id: exchanger.id },
    ...{ scope: 'read', exp: decodeJwt(subject_token).exp, act: { sub: exchanger.id } },
    ...login,
    ...ids,
  })
})

t.test('the token never outlives the presented one, and has no more scope', async (t) => {
  const now = Math.floor(deps.clock().getTime() / 1000)
  const subject_token = await sign({ exp: now + 30, scope: 'read' })
  const answer = (await exchange({ subject_token })).json()
  t.ok(answer.expires_in <= 30 && answer.expires_in >= 25, `${answer.expires_in}`)
  t.equal(answer.scope, 'read')
})

t.test('who acts is nested, the newest outermost (RFC 8693 §4.1)', async (t) => {
  const before = { sub: 'first', act: { sub: 'zeroth' } }
  const subject_token = await sign({ act: before })
  const { access_token: token } = (await exchange({ subject_token })).json()
  t.strictSame(claimsOf(token).act, { sub: exchanger.id, act: before })

  const actor_token = await sign({ sub: 'helper', act: { sub: 'not to be nested' } })
  const named = { subject_token, actor_token, actor_token_type: jwtType }
  const { access_token: other } = (await exchange(named)).json()
  t.strictSame(claimsOf(other).act, { sub: 'helper', act: before })
})

t.test('a client that may impersonate is not named, but who acted before stays', async (t) => {
  const quiet = await createMachine(deps, {
    ...{ grantTypes: [grantType], scope: ['read'], audience: [back], resourceServer: [middle] },
    settings: { tokenExchange: 'impersonate' },
  })
  const plain = (await exchange({ subject_token: await sign({}) }, quiet.headers)).json()
  t.equal(claimsOf(plain.access_token).act, undefined)
  const before = await sign({ act: { sub: 'first' } })
  const { access_token: token } = (await exchange({ subject_token: before }, quiet.headers)).json()
  t.strictSame(claimsOf(token).act, { sub: 'first' })
})

t.test('whom may_act names may act, and nobody else (RFC 8693 §4.4)', async (t) => {
  const notHim = oauthError(
    400,
    'invalid_grant',
    'The subject_token names somebody else who may act',
    { code: 'may_not_act' },
  )
  const outcome = async (may_act: unknown, form: object = {}) =>
    outcomeOf(await exchange({ subject_token: await sign({ may_act }), ...form }))
  const actor = { actor_token: await sign({ sub: 'helper' }), actor_token_type: accessTokenType }

  t.equal((await outcome({ sub: exchanger.id })).status, 200)
  t.equal((await outcome({ sub: exchanger.id, iss: service.config.issuer })).status, 200)
  t.equal((await outcome({ sub: 'helper' }, actor)).status, 200)
  for (const may_act of [
    { sub: 'helper' },
    { sub: exchanger.id, iss: 'https://other.example' },
    { sub: exchanger.id, email: 'a@example.com' },
    { client_id: exchanger.id },
    exchanger.id,
    null,
    [],
  ]) {
    t.strictSame(await outcome(may_act), notHim, JSON.stringify(may_act))
  }
  t.strictSame(await outcome({ sub: exchanger.id }, actor), notHim)
})

t.test('a token of somebody else is exchanged only where it is meant for the client', async (t) => {
  const invalid = oauthError(400, 'invalid_grant', 'The subject_token is not valid', {
    code: 'invalid_subject_token',
  })
  const foreign = await tokenOf(origin, { resource: front })
  t.strictSame(outcomeOf(await exchange({ subject_token: foreign })), invalid)
  const own = await tokenOf(exchanger)
  t.equal((await exchange({ subject_token: own })).statusCode, 200)

  const picky = await createMachine(deps, {
    ...{ grantTypes: [grantType], scope: ['read'], audience: [back], resourceServer: [middle] },
    settings: { tokenExchangeClients: ['another'] },
  })
  const subject_token = await tokenOf(origin, { resource: middle })
  t.strictSame(outcomeOf(await exchange({ subject_token }, picky.headers)), invalid)
})

t.test('a revoked token is not exchanged', async (t) => {
  const subject_token = await tokenOf(origin, { resource: middle })
  t.equal((await exchange({ subject_token })).statusCode, 200)
  await postForm(app, '/revoke', { token: subject_token }, origin.headers)
  t.strictSame(
    outcomeOf(await exchange({ subject_token })),
    oauthError(400, 'invalid_grant', 'The subject_token is not valid', {
      code: 'invalid_subject_token',
    }),
  )
})

t.test('every exchange is audited before it is answered', async (t) => {
  const jti = crypto.randomUUID()
  const subject_token = await sign({ sub: jti, scope: 'read' })
  await exchange({ subject_token, resource: back })
  const event = await db
    .selectFrom('audit_events')
    .select(['actor', 'subject', 'client_id', 'details'])
    .where('type', '=', 'token.exchanged')
    .where('subject', '=', jti)
    .executeTakeFirst()
  t.strictSame(event, {
    ...{ actor: exchanger.id, subject: jti, client_id: exchanger.id },
    details: { audience: [back], scope: ['read'], impersonated: false, actor_token: false },
  })
})

t.test('a token that is bound to a key needs the proof of the key', async (t) => {
  const subject_token = await sign({ cnf: { jkt: 'a'.repeat(43) } })
  t.match(outcomeOf(await exchange({ subject_token })), {
    status: 400,
    body: { error: 'invalid_grant', code: 'invalid_subject_token' },
  })
})

const publicClient = await deps.clientAdministration.create(
  { name: 'App', authenticationMethod: 'none', grantTypes: [grantType] },
  byOperator,
)
const subject_token = await sign({})
const manyActors = Array.from({ length: 8 }).reduce<object>(
  (act, _, index) => ({ sub: `${index}`, act }),
  { sub: 'first' },
)
const bad = (description: string) => oauthError(400, 'invalid_request', description)
const invalidSubject = oauthError(400, 'invalid_grant', 'The subject_token is not valid', {
  code: 'invalid_subject_token',
})
const beyond = 'The scope is beyond that of the subject_token'

const refused: Record<
  string,
  readonly [form: Form & object, expected: object, headers?: Record<string, string>]
> = {
  'without a subject_token': [{}, bad('subject_token is required')],
  'without a subject_token_type': [
    { subject_token, subject_token_type: '' },
    bad('subject_token_type is required'),
  ],
  'with an unknown subject_token_type': [
    { subject_token, subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' },
    bad('subject_token_type is not supported'),
  ],
  'with an actor_token without its type': [
    { subject_token, actor_token: subject_token },
    bad('actor_token and actor_token_type go together'),
  ],
  'with an actor_token_type alone': [
    { subject_token, actor_token_type: accessTokenType },
    bad('actor_token and actor_token_type go together'),
  ],
  'with an actor_token that is none': [
    { subject_token, actor_token: 'x', actor_token_type: accessTokenType },
    oauthError(400, 'invalid_grant', 'The actor_token is not valid', {
      code: 'invalid_actor_token',
    }),
  ],
  'for a refresh token': [
    { subject_token, requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
    bad('The requested_token_type is not supported'),
  ],
  'with a repeated subject_token': [
    { subject_token: [subject_token, subject_token] },
    bad('subject_token must not be repeated'),
  ],
  'with a subject_token that is none': [{ subject_token: 'x' }, invalidSubject],
  'with a refresh token': [{ subject_token: `trt_${'A'.repeat(92)}` }, invalidSubject],
  'with a token of another issuer': [
    { subject_token: await sign({ iss: 'https://other.example' }) },
    invalidSubject,
  ],
  'with a token that has ended': [{ subject_token: await sign({ exp: 1000 }) }, invalidSubject],
  'for an audience that is not the client’s': [
    { subject_token, resource: front },
    oauthError(400, 'invalid_target', 'The client may not ask for this resource'),
  ],
  'for an audience that is named otherwise': [
    { subject_token, audience: front },
    oauthError(400, 'invalid_target', 'The client may not ask for this resource'),
  ],
  'for more scope than the presented token has': [
    { subject_token: await sign({ scope: 'read' }), scope: 'read write' },
    oauthError(400, 'invalid_scope', beyond),
  ],
  'for the scope of our own API': [
    { subject_token: await sign({ scope: 'account' }), scope: 'account' },
    oauthError(400, 'invalid_scope', beyond),
  ],
  'for a sign-in that was not the client’s': [
    { subject_token: await sign({ scope: 'openid' }), scope: 'openid' },
    oauthError(400, 'invalid_scope', beyond),
  ],
  'where too many act for each other': [
    { subject_token: await sign({ act: manyActors }) },
    oauthError(400, 'invalid_grant', 'Too many act for each other', { code: 'actors' }),
  ],
  'of a client that is not registered for it': [
    { subject_token },
    oauthError(400, 'unauthorized_client', 'The client is not registered for this grant_type'),
    origin.headers,
  ],
  'of a public client': [
    { subject_token, client_id: publicClient.client.id },
    oauthError(400, 'unauthorized_client', 'A public client cannot exchange tokens'),
    {},
  ],
}

for (const [name, [form, expected, headers]] of Object.entries(refused)) {
  t.test(`a token exchange ${name} is refused`, async (t) => {
    t.strictSame(outcomeOf(await exchange(form, headers)), expected)
  })
}
