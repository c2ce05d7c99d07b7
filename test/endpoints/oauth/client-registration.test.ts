import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { connect, startService } from '../../support/service.ts'
import { askRegistration, bearer, createInitialToken, webApp } from './registrations.ts'
import { basic, byOperator, postForm } from './requests.ts'

const service = await startService(t)
const { app, deps } = service
const db = await connect(t, service)

const register = async (body: unknown, token?: string) => {
  const { token: fresh } = token === undefined ? await createInitialToken(service) : { token }
  return askRegistration(app, '', { headers: bearer(fresh), body })
}
const eventsOf = (clientId: string) =>
  db
    .selectFrom('audit_events')
    .select(['type', 'actor', 'details'])
    .where('client_id', '=', clientId)
    .execute()

t.test('a client registers itself, and is told all that counts (RFC 7591 §3.2.1)', async (t) => {
  const { registrationToken, token } = await createInitialToken(service)
  const { status, headers, json } = await register({ ...webApp, colour: 'red' }, token)
  t.equal(status, 201)
  t.match(headers, { 'cache-control': 'no-store', 'content-type': /^application\/json/ })
  const {
    client_id: id,
    client_secret: secret,
    client_id_issued_at: issuedAt,
    registration_access_token: access,
    ...rest
  } = json
  t.match(id, /^app_[2-9a-z]{16}$/)
  t.match(secret, /^tcs_[\w-]{43}$/)
  t.match(access, /^tra_[\w-]{43}$/)
  const client = await deps.clientAdministration.show(id)
  t.equal(issuedAt, Math.floor(client.createdAt.getTime() / 1000))
  t.strictSame(rest, {
    client_secret_expires_at: 0,
    registration_client_uri: `http://localhost:4000/connect/register/${id}`,
    client_name: 'App',
    redirect_uris: ['https://app.example/cb'],
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['authorization_code'],
    response_types: ['code'],
    scope: 'openid profile email offline_access',
    require_pushed_authorization_requests: false,
    require_signed_request_object: false,
    require_auth_time: false,
    dpop_bound_access_tokens: false,
    tls_client_certificate_bound_access_tokens: false,
    id_token_signed_response_alg: 'RS256',
    authorization_signed_response_alg: 'RS256',
    subject_type: 'public',
    backchannel_logout_session_required: false,
  })
  t.match(client, { registeredBy: 'token', settings: { consent: 'always', requirePkce: true } })
  const [event] = await eventsOf(id)
  t.match(event, {
    type: 'client.registered',
    actor: id,
    details: {
      registered_by: 'token',
      registration_token: registrationToken.id,
      redirect_uris: ['https://app.example/cb'],
      consent: 'always',
    },
  })
  const kept = await db.selectFrom('clients').selectAll().where('id', '=', id).execute()
  t.notMatch(JSON.stringify([kept, event, service.log]), access.slice(4))
  t.notMatch(JSON.stringify([event, service.log]), token.slice(4))
})

t.test(
  'what it states is kept; null is as good as nothing; what operators decide is not its own',
  async (t) => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const stated = {
      ...webApp,
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      jwks: { keys: [publicKey.export({ format: 'jwk' })] },
      contacts: ['ops@app.example'],
      subject_type: 'pairwise',
      dpop_bound_access_tokens: true,
      post_logout_redirect_uris: ['https://app.example/bye'],
      backchannel_logout_uri: 'https://app.example/logout',
      logo_uri: 'https://app.example/logo.png',
      default_max_age: 60,
      id_token_signed_response_alg: 'ES256',
    }
    const ignored = { consent: 'skip', require_pkce: false, profile: 'oidc-basic', audience: ['a'] }
    const { status, json } = await register({
      ...stated,
      ...ignored,
      tos_uri: null,
      jwks_uri: null,
    })
    t.equal(status, 201)
    t.match(json, stated)
    t.notOk('client_secret' in json)
    t.notOk('client_secret_expires_at' in json)
    t.notOk('tos_uri' in json)
    t.match(await deps.clientAdministration.show(json.client_id), {
      audience: [],
      settings: { consent: 'always', requirePkce: true, profile: 'default' },
    })
  },
)

t.test('scopes that it may not have are left out, those of our own API above all', async (t) => {
  const { json } = await register({ ...webApp, scope: 'openid admin account orders email' })
  t.equal(json.scope, 'openid email')
})

t.test('a machine that registers itself by a token can get tokens at once', async (t) => {
  const { json } = await register({ grant_types: ['client_credentials'], response_types: [] })
  t.match(json, { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] })
  const headers = basic(json.client_id, json.client_secret)
  const answer = await postForm(app, '/token', { grant_type: 'client_credentials' }, headers)
  t.equal(answer.statusCode, 200)
})

const web = 'must be an https URL, or an http URL of the own machine, without credentials'
const redirects =
  'redirect_uris must be https URIs, http URIs of the own machine, or URIs of a private scheme with a dot'
const grants =
  'grant_types must be one of authorization_code, refresh_token, client_credentials, urn:ietf:params:oauth:grant-type:device_code'
const methods =
  'token_endpoint_auth_method must be one of none, client_secret_basic, client_secret_post, private_key_jwt'

/** Metadata that cannot be, with the error and what is said of it. */
const refused: Record<string, [metadata: unknown, error: string, description: string]> = {
  'a list': [[webApp], 'invalid_client_metadata', 'the body must be of type object'],
  'no redirect URI for a code': [
    { client_name: 'App' },
    'invalid_redirect_uri',
    'redirect_uris must not be empty for authorization_code',
  ],
  'one redirect URI as a text': [
    { redirect_uris: 'https://app.example/cb' },
    'invalid_redirect_uri',
    'redirect_uris must be of type array',
  ],
  'a redirect URI that is no text': [
    { redirect_uris: [1] },
    'invalid_redirect_uri',
    'redirect_uris.0 must be of type string',
  ],
  ...Object.fromEntries(
    [
      ['a script to redirect to', 'javascript:alert(1)'],
      ['a document to redirect to', 'data:text/html,x'],
      ['a redirect URI with a fragment', 'https://app.example/cb#f'],
      ['a redirect URI with an empty fragment', 'https://app.example/cb#'],
      ['any host below a domain', 'https://*.example/cb'],
      ['any path', 'https://app.example/*'],
      ['a host in the clear', 'http://app.example/cb'],
      ['a scheme of everybody', 'app:/cb'],
      ['a redirect URI with a password', 'https://a:b@app.example/cb'],
      ['a relative redirect URI', '/cb'],
      ['a file', 'file:///etc/passwd'],
    ].map(([name, uri]) => [name, [{ redirect_uris: [uri] }, 'invalid_redirect_uri', redirects]]),
  ),
  'a grant that nobody gives': [
    { ...webApp, grant_types: ['authorization_code', 'password'] },
    'invalid_client_metadata',
    grants,
  ],
  'tokens by exchange': [
    { ...webApp, grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange'] },
    'invalid_client_metadata',
    grants,
  ],
  'tokens in the address': [
    { ...webApp, response_types: ['token'] },
    'invalid_client_metadata',
    'response_types must be code',
  ],
  'a code without the grant': [
    { ...webApp, grant_types: ['client_credentials'], response_types: ['code'] },
    'invalid_client_metadata',
    'response_types must be empty without authorization_code',
  ],
  'the grant without a code': [
    { ...webApp, response_types: [] },
    'invalid_client_metadata',
    'response_types must be code',
  ],
  'an unknown method': [
    { ...webApp, token_endpoint_auth_method: 'magic' },
    'invalid_client_metadata',
    methods,
  ],
  'a method that is off': [
    { ...webApp, token_endpoint_auth_method: 'client_secret_jwt' },
    'invalid_client_metadata',
    methods,
  ],
  'a public machine': [
    { grant_types: ['client_credentials'], token_endpoint_auth_method: 'none' },
    'invalid_client_metadata',
    'grant_types must not hold client_credentials for a public client, which has no credentials',
  ],
  'keys that it needs': [
    { ...webApp, token_endpoint_auth_method: 'private_key_jwt' },
    'invalid_client_metadata',
    'token_endpoint_auth_method needs jwks or jwks_uri',
  ],
  'keys in two places': [
    { ...webApp, jwks: { keys: [{ kty: 'oct' }] }, jwks_uri: 'https://app.example/jwks' },
    'invalid_client_metadata',
    'jwks and jwks_uri exclude each other',
  ],
  'an empty name': [
    { ...webApp, client_name: ' ' },
    'invalid_client_metadata',
    'client_name must be 1 to 200 characters of text',
  ],
  'a logo that is a script': [
    { ...webApp, logo_uri: 'javascript:alert(1)' },
    'invalid_client_metadata',
    `logo_uri ${web}`,
  ],
  'a scope with a quote': [
    { ...webApp, scope: 1 },
    'invalid_client_metadata',
    'scope must be of type string',
  ],
  'a name of a certificate in two members': [
    {
      ...webApp,
      tls_client_auth_san_dns: 'app.example',
      tls_client_auth_subject_dn: 'CN=app',
    },
    'invalid_client_metadata',
    'tls_client_auth needs exactly one of tls_client_auth_subject_dn, tls_client_auth_san_dns, tls_client_auth_san_uri, tls_client_auth_san_ip, tls_client_auth_san_email',
  ],
  'a software statement': [
    { ...webApp, software_statement: 'a.b.c' },
    'unapproved_software_statement',
    'Software statements are not accepted',
  ],
}

for (const [fault, [metadata, error, description]] of Object.entries(refused)) {
  t.test(`metadata are refused: ${fault} (RFC 7591 §3.2.2)`, async (t) => {
    const { token, registrationToken } = await createInitialToken(service)
    const answer = await register(metadata, token)
    t.strictSame([answer.status, answer.json], [400, { error, error_description: description }])
    t.equal(answer.headers['cache-control'], 'no-store')
    const [kept] = (await deps.registrationTokenAdministration.list()).filter(
      ({ id }) => id === registrationToken.id,
    )
    t.equal(kept?.uses, 0, 'what was refused has not used the token')
  })
}

t.test('all faults are told at once, a redirect URI first', async (t) => {
  const { json } = await register({ redirect_uris: ['x'], client_name: '', contacts: [''] })
  t.strictSame(json, {
    error: 'invalid_redirect_uri',
    error_description: `client_name must be 1 to 200 characters of text; ${redirects}; contacts must be 1 to 200 characters of text each`,
  })
})

const unreadable: Record<string, [body: string, status: number, error: string, type?: string]> = {
  'no JSON': ['{', 400, 'invalid_request'],
  'NUL in a name': ['{"client_name":"a\\u0000"}', 400, 'invalid_request'],
  'half a character': ['{"client_name":"\\ud800"}', 400, 'invalid_request'],
  'a form': ['client_name=App', 415, 'invalid_request', 'application/x-www-form-urlencoded'],
  'more than anybody reads': [
    JSON.stringify({ client_name: 'x'.repeat(2_000_000) }),
    413,
    'invalid_request',
  ],
}

for (const [fault, [body, status, error, type]] of Object.entries(unreadable)) {
  t.test(`a body that cannot be read is refused: ${fault}`, async (t) => {
    const headers = type === undefined ? {} : { 'content-type': type }
    const answer = await askRegistration(app, '', { headers, body })
    t.match(answer, { status, json: { error } })
  })
}

const unauthorized = (challenge: string) => ({
  status: 401,
  headers: { 'www-authenticate': challenge, 'cache-control': 'no-store' },
  json: {
    error: 'invalid_token',
    error_description: 'A valid token for this registration is needed',
  },
})
const realm = 'Bearer realm="http://localhost:4000"'

t.test('without a token nobody registers, and no wrong token says why it is wrong', async (t) => {
  const ask = (headers: Record<string, string>) =>
    askRegistration(app, '', { headers, body: webApp })
  t.match(await ask({}), unauthorized(realm))
  const used = await createInitialToken(service)
  t.equal((await ask(bearer(used.token))).status, 201)
  const revoked = await createInitialToken(service)
  await deps.registrationTokenAdministration.revoke(revoked.registrationToken.id, byOperator)
  for (const headers of [
    bearer(used.token),
    bearer(revoked.token),
    bearer('tri_x'),
    { authorization: 'Bearer' },
    { authorization: 'Basic YTpi' },
    { authorization: `Bearer ${used.token} ${used.token}` },
  ]) {
    t.match(await ask(headers), unauthorized(`${realm}, error="invalid_token"`))
  }
})

t.test('a token is good until it expires, and no longer', async (t) => {
  const young = await startService(t)
  const { token } = await createInitialToken(young, { ttlSeconds: 60, maxUses: 2 })
  const ask = () => askRegistration(young.app, '', { headers: bearer(token), body: webApp })
  young.moveTime(59)
  t.equal((await ask()).status, 201)
  young.moveTime(1)
  t.equal((await ask()).status, 401)
})

t.test('open: anybody registers, for what a person can give alone', async (t) => {
  const open = await startService(t, { CLIENT_REGISTRATION: 'open' })
  const ask = (body: unknown, headers = {}) => askRegistration(open.app, '', { headers, body })
  const { status, json } = await ask(webApp)
  t.equal(status, 201)
  t.match(await open.deps.clientAdministration.show(json.client_id), {
    registeredBy: 'open',
    settings: { consent: 'always' },
  })
  t.match(await ask({ grant_types: ['client_credentials'] }), {
    status: 400,
    json: {
      error: 'invalid_client_metadata',
      error_description: 'grant_types must be one of authorization_code, refresh_token',
    },
  })
  t.equal((await ask(webApp, bearer('tri_x'))).status, 401, 'a wrong token is no absent one')
  const { token } = await createInitialToken(open)
  t.equal((await ask({ grant_types: ['client_credentials'] }, bearer(token))).status, 201)
})

t.test('off: there is no such endpoint, and the metadata name none', async (t) => {
  const off = await startService(t, { CLIENT_REGISTRATION: 'off' })
  t.equal((await askRegistration(off.app, '', { body: webApp })).status, 404)
  const metadata = await off.app.inject('/.well-known/oauth-authorization-server')
  t.notOk('registration_endpoint' in metadata.json())
})

t.test('registrations of one address are limited', async (t) => {
  const limited = await startService(t, { RATE_LIMIT_REGISTRATION: '2/300' })
  const ask = () => askRegistration(limited.app, '', { body: webApp })
  t.equal((await ask()).status, 401)
  t.equal((await ask()).status, 401)
  t.match(await ask(), {
    status: 429,
    headers: { 'retry-after': /^\d+$/ },
    json: { error: 'temporarily_unavailable' },
  })
})
