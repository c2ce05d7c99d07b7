import { decodeJwt, decodeProtectedHeader } from 'jose'
import t from 'tap'
import { looksLikeRefreshToken } from '../../../src/secrets/refresh-token.ts'
import { connect, register, startService } from '../../support/service.ts'
import { waitUntil } from '../../support/wait-until.ts'
import {
  basic,
  basicChallenge,
  byOperator,
  createMachine,
  type Form,
  oauthError,
  outcomeOf,
  postForm,
  unauthenticated,
} from './requests.ts'

const issuer = 'http://localhost:4000'
const service = await startService(t)
const { app, deps } = service
const machine = await createMachine(deps, {
  scope: ['read', 'write', 'admin', 'account'],
  audience: ['https://a.example', 'https://b.example'],
})
const post = (form: Form, headers: Readonly<Record<string, string>> = machine.headers) =>
  postForm(app, '/token', form, headers)
const credentials = { grant_type: 'client_credentials' } as const
const claimsOf = (token: string): Record<string, unknown> => {
  const { jti, iat, exp, ...rest } = decodeJwt(token)
  return { ...rest, lifetime: (exp ?? 0) - (iat ?? 0), jti: typeof jti }
}

t.test('client_credentials: a machine gets a token of its own (RFC 6749 §4.4)', async (t) => {
  const answer = await post(credentials)

  const { access_token: token, ...rest } = answer.json()
  t.equal(answer.statusCode, 200)
  t.equal(answer.headers['cache-control'], 'no-store')
  t.strictSame(rest, { token_type: 'Bearer', expires_in: 900, scope: 'read write' })
  t.match(decodeProtectedHeader(token), { alg: 'RS256', typ: 'at+jwt', kid: /^.{43}$/ })
  t.strictSame(claimsOf(token), {
    iss: issuer,
    sub: machine.id,
    client_id: machine.id,
    aud: ['https://a.example', 'https://b.example'],
    scope: 'read write',
    lifetime: 900,
    jti: 'string',
  })
})

t.test('client_credentials: scope and audience may be narrowed, in any order', async (t) => {
  const narrowed = (
    await post({ ...credentials, scope: 'write', resource: 'https://b.example' })
  ).json()
  t.equal(narrowed.scope, 'write')
  t.match(claimsOf(narrowed.access_token), { scope: 'write', aud: 'https://b.example' })

  const both = {
    ...credentials,
    resource: ['https://b.example', 'https://a.example', 'https://b.example'],
  }
  t.strictSame(claimsOf((await post(both)).json().access_token).aud, [
    'https://b.example',
    'https://a.example',
  ])
})

t.test('client_credentials: reserved scopes are granted only by name', async (t) => {
  t.equal((await post({ ...credentials, scope: 'admin read' })).json().scope, 'admin read')
})

t.test(
  'client_credentials: without scope or audience of its own there is the default',
  async (t) => {
    const plain = await createMachine(deps)
    const { access_token: token, ...rest } = (await post(credentials, plain.headers)).json()
    t.strictSame(rest, { token_type: 'Bearer', expires_in: 900 })
    t.match(claimsOf(token), { aud: issuer, scope: undefined })
    const named = await post({ ...credentials, resource: issuer }, plain.headers)
    t.equal(claimsOf(named.json().access_token).aud, issuer)
  },
)

t.test('client_secret_post is a way for whom it is registered', async (t) => {
  const poster = await createMachine(deps, { authenticationMethod: 'client_secret_post' })
  const answer = await post(
    { ...credentials, client_id: poster.id, client_secret: poster.secret },
    {},
  )
  t.equal(answer.statusCode, 200)
})

t.test('empty parameters are absent, unknown ones ignored (RFC 6749 §3.2)', async (t) => {
  const answer = await post({
    ...credentials,
    scope: '',
    resource: '',
    audience: 'x',
    refresh_token: 'y',
  })
  t.equal(answer.json().scope, 'read write')
})

t.test('refresh_token: the public client gets the next token of the family', async (t) => {
  const person = await register(app)
  const answer = await post(
    { grant_type: 'refresh_token', client_id: 'first-party', refresh_token: person.refresh_token },
    {},
  )

  const { access_token: token, refresh_token: next, ...rest } = answer.json()
  t.strictSame(rest, { token_type: 'Bearer', expires_in: 900, scope: 'account' })
  t.ok(looksLikeRefreshToken(next) && next !== person.refresh_token)
  const { sid, fam, auth_time: authTime, ...claims } = claimsOf(token)
  t.strictSame(claims, {
    iss: issuer,
    sub: person.user.id,
    client_id: 'first-party',
    aud: issuer,
    scope: 'account',
    roles: ['user'],
    permissions: [],
    amr: ['pwd'],
    lifetime: 900,
    jti: 'string',
  })
  const before = decodeJwt(person.access_token)
  t.strictSame([sid, fam, authTime], [before.sid, before.fam, before.auth_time])
})

type Refused = [
  form: Form,
  expected: ReturnType<typeof oauthError>,
  headers?: Record<string, string>,
]

const grantless = await createMachine(deps, { grantTypes: [] })
const refresher = await createMachine(deps, { grantTypes: ['refresh_token'] })
const bad = (description: string) => oauthError(400, 'invalid_request', description)
const badScope = (description: string) => oauthError(400, 'invalid_scope', description)
const badTarget = oauthError(400, 'invalid_target', 'The client may not ask for this resource')
const notAllowed = oauthError(
  400,
  'unauthorized_client',
  'The client is not registered for this grant_type',
)
const malformedScope = badScope('The scope is malformed')
const wideScope = badScope('The scope is beyond what the client may be granted')
const unknownToken = oauthError(400, 'invalid_grant', 'The refresh token is not valid', {
  code: 'unknown',
})

const refused: Record<string, Refused> = {
  'without a grant_type': [{}, bad('grant_type is missing')],
  'with an empty grant_type': [{ grant_type: '' }, bad('grant_type is missing')],
  'with an unknown grant_type': [
    { grant_type: 'password' },
    oauthError(400, 'unsupported_grant_type', 'The grant_type is not supported'),
  ],
  'with a grant_type that is a name of the language': [
    { grant_type: '__proto__' },
    oauthError(400, 'unsupported_grant_type', 'The grant_type is not supported'),
  ],
  'with a repeated grant_type': [
    'grant_type=client_credentials&grant_type=client_credentials',
    bad('grant_type must not be repeated'),
  ],
  'with a repeated unknown parameter': [
    { ...credentials, x: ['1', '2'] },
    bad('x must not be repeated'),
  ],
  'with a repeated scope': [
    { ...credentials, scope: ['read', 'read'] },
    bad('scope must not be repeated'),
  ],
  'without any grant of the client': [credentials, notAllowed, grantless.headers],
  'with a grant the client is not registered for': [
    { grant_type: 'refresh_token', refresh_token: 'x' },
    notAllowed,
  ],
  'of a public client for client_credentials': [
    { ...credentials, client_id: 'first-party' },
    notAllowed,
    {},
  ],
  'with a scope beyond the client': [{ ...credentials, scope: 'read delete' }, wideScope],
  'with a scope in other letters': [{ ...credentials, scope: 'READ' }, wideScope],
  'with a scope of spaces': [{ ...credentials, scope: '  ' }, malformedScope],
  'with a quote in the scope': [{ ...credentials, scope: 'read "x"' }, malformedScope],
  'with a scope that is not ASCII': [{ ...credentials, scope: 'réad' }, malformedScope],
  'with an unknown resource': [{ ...credentials, resource: 'https://c.example' }, badTarget],
  'with a resource among allowed ones': [
    { ...credentials, resource: ['https://a.example', 'https://c.example'] },
    badTarget,
  ],
  'with a resource that has a fragment': [
    { ...credentials, resource: 'https://a.example#x' },
    badTarget,
  ],
  'with a resource that is nearly the same': [
    { ...credentials, resource: 'https://a.example/' },
    badTarget,
  ],
  'without a refresh_token': [
    { grant_type: 'refresh_token' },
    bad('refresh_token is missing'),
    refresher.headers,
  ],
  'with a refresh_token that is none': [
    { grant_type: 'refresh_token', refresh_token: 'x' },
    unknownToken,
    refresher.headers,
  ],
  'without a client': [credentials, unauthenticated(), {}],
  'of an unknown client': [credentials, unauthenticated(basicChallenge), basic('nobody', 'x')],
  'with a wrong secret': [credentials, unauthenticated(basicChallenge), basic(machine.id, 'x')],
  'with a wrong secret and a wrong grant_type': [
    { grant_type: 'x' },
    unauthenticated(basicChallenge),
    basic(machine.id, 'x'),
  ],
  'with two ways of client authentication': [
    { ...credentials, client_id: machine.id, client_secret: machine.secret },
    bad('Only one way of client authentication is allowed'),
  ],
  'with NUL in a value': [
    'grant_type=client_credentials&scope=%00',
    bad('The form is not valid UTF-8 text'),
  ],
  'with bytes that are not UTF-8': [
    'grant_type=client_credentials&scope=%ff',
    bad('The form is not valid UTF-8 text'),
  ],
  'that is not a form': [
    '{"grant_type":"client_credentials"}',
    { ...bad('The content type is not supported'), status: 415 },
    { ...machine.headers, 'content-type': 'application/json' },
  ],
  'that is too large': [
    `grant_type=client_credentials&x=${'x'.repeat(70_000)}`,
    { ...bad('The body is too large'), status: 413 },
  ],
}

for (const [what, [form, expected, headers]] of Object.entries(refused)) {
  t.test(`a token request is refused ${what}`, async (t) => {
    t.strictSame(outcomeOf(await post(form, headers)), expected)
  })
}

t.test('a token request by GET is told which method there is', async (t) => {
  const answer = await app.inject({ method: 'GET', url: '/token' })
  t.equal(answer.statusCode, 405)
  t.equal(answer.headers.allow, 'POST')
})

t.test('a disabled client gets nothing from the 200 on, and again once enabled', async (t) => {
  const own = await createMachine(deps)
  const get = async () => (await post(credentials, own.headers)).statusCode
  t.equal(await get(), 200)
  await deps.clientAdministration.disable(own.id, byOperator)
  t.equal(await get(), 401)
  await deps.clientAdministration.enable(own.id, byOperator)
  t.equal(await get(), 200)
})

t.test('a rotated secret is good at once, the old one until the overlap ends', async (t) => {
  const own = await createMachine(deps)
  const get = async (headers: Record<string, string>) =>
    (await post(credentials, headers)).statusCode
  t.equal(await get(own.headers), 200)
  const { secret = '' } = await deps.clientAdministration.rotateSecret(own.id, byOperator, 3600)
  t.strictSame([await get(own.headers), await get(basic(own.id, secret))], [200, 200])
  const last = await deps.clientAdministration.rotateSecret(own.id, byOperator, 0)
  t.strictSame(
    [
      await get(own.headers),
      await get(basic(own.id, secret)),
      await get(basic(own.id, last.secret ?? '')),
    ],
    [401, 401, 200],
  )
})

t.test('the algorithm and the lifetime are the audience’s, the shortest of several', async (t) => {
  const set = (name: string, signingAlgorithm?: string, accessTokenTtlSeconds?: number) =>
    deps.audienceAdministration.set(
      {
        name,
        ...(signingAlgorithm === undefined ? {} : { signingAlgorithm }),
        ...(accessTokenTtlSeconds === undefined ? {} : { accessTokenTtlSeconds }),
      },
      byOperator,
    )
  const audience = ['https://es.example', 'https://ps.example', 'https://short.example']
  await set('https://es.example', 'ES256', 600)
  await set('https://ps.example', 'PS256')
  await set('https://short.example', undefined, 60)
  const own = await createMachine(deps, { audience })
  const get = (...resource: string[]) => post({ ...credentials, resource }, own.headers)
  const made = async (...resource: string[]) => {
    const { access_token: token, expires_in: seconds } = (await get(...resource)).json()
    return [decodeProtectedHeader(token).alg, seconds, claimsOf(token).lifetime]
  }

  t.strictSame(await made('https://es.example'), ['ES256', 600, 600])
  t.strictSame(await made('https://es.example', 'https://short.example'), ['ES256', 60, 60])
  t.strictSame(await made('https://ps.example'), ['PS256', 900, 900])
  t.strictSame(
    outcomeOf(await get('https://es.example', 'https://ps.example')),
    oauthError(400, 'invalid_target', 'These audiences want different signing algorithms'),
  )
})

t.test('a failed authentication is audited, without the secret', async (t) => {
  const own = await createMachine(deps)
  const secret = 'tcs_not-the-secret'
  const answer = await post(credentials, { ...basic(own.id, secret), 'user-agent': 'check/1.0' })

  const db = await connect(t, service)
  const events = () =>
    db
      .selectFrom('audit_events')
      .selectAll()
      .where('client_id', '=', own.id)
      .where('type', '=', 'client.authentication_failed')
      .execute()
  const [event] = await waitUntil('the event', async () => {
    const found = await events()
    return found.length > 0 && found
  })
  t.match(event, {
    severity: 'warning',
    outcome: 'failure',
    actor: null,
    request_id: answer.headers['x-request-id'],
    address: '127.0.0.1',
    user_agent: 'check/1.0',
    details: { reason: 'wrong_secret', method: 'client_secret_basic' },
  })
  t.notMatch(JSON.stringify(event), secret)
  t.notMatch(service.log.join(), secret)
})
