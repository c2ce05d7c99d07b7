import { decodeJwt, decodeProtectedHeader } from 'jose'
import t from 'tap'
import { looksLikeRefreshToken } from '../../../src/secrets/refresh-token.ts'
import { connect, register, startService } from '../../support/service.ts'
import { waitUntil } from '../../support/wait-until.ts'
import {
  basic,
  byOperator,
  createMachine,
  type Form,
  oauthError,
  outcomeOf,
  postForm,
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
