import t from 'tap'
import { connect, startService } from '../../support/service.ts'
import { askRegistration, bearer, registerApp, webApp } from './registrations.ts'
import { basic, byOperator, createMachine, postForm } from './requests.ts'

const service = await startService(t)
const { app, deps } = service
const db = await connect(t, service)

const realm = 'Bearer realm="http://localhost:4000"'
const refusal = (challenge = `${realm}, error="invalid_token"`) => ({
  status: 401,
  headers: { 'www-authenticate': challenge, 'cache-control': 'no-store' },
  json: {
    error: 'invalid_token',
    error_description: 'A valid token for this registration is needed',
  },
})
const eventsOf = async (clientId: string, type: 'client.updated' | 'client.deleted') =>
  db
    .selectFrom('audit_events')
    .select(['actor', 'details'])
    .where('client_id', '=', clientId)
    .where('type', '=', type)
    .execute()

/** A registration as it is told later: without the secret, which is not kept. */
const told = ({
  client_secret: _,
  client_secret_expires_at: __,
  ...rest
}: Record<string, unknown>) => rest

t.test('a client reads what it registered, but not its secret again (RFC 7592 §2.1)', async (t) => {
  const client = await registerApp(service)
  const { status, headers, json } = await client.manage('GET')
  t.strictSame([status, json], [200, told(client.json)])
  t.equal(headers['cache-control'], 'no-store')
})

t.test(
  'a client replaces its registration as a whole; its token stays (RFC 7592 §2.2)',
  async (t) => {
    const client = await registerApp(service, {
      ...webApp,
      contacts: ['a@app.example'],
      scope: 'openid',
    })
    const metadata = {
      client_id: client.id,
      client_secret: client.json.client_secret,
      redirect_uris: ['https://app.example/new'],
      client_name: 'Newer',
    }
    const { status, json } = await client.manage('PUT', metadata)
    t.equal(status, 200)
    const { contacts: _contacts, ...before } = told(client.json)
    t.strictSame(json, {
      ...before,
      client_name: 'Newer',
      redirect_uris: ['https://app.example/new'],
      scope: 'openid profile email offline_access',
    })
    t.strictSame((await client.manage('GET')).json, json)
    t.strictSame(await eventsOf(client.id, 'client.updated'), [
      {
        actor: client.id,
        details: { changed: ['client_name', 'contacts', 'redirect_uris', 'scope'] },
      },
    ])
  },
)

t.test(
  'who begins to prove itself by a secret gets one, and who no longer does loses it',
  async (t) => {
    const client = await registerApp(service, { ...webApp, token_endpoint_auth_method: 'none' })
    t.notOk('client_secret' in client.json)
    const base = { ...webApp, client_id: client.id }
    const { json } = await client.manage('PUT', base)
    t.match(json.client_secret, /^tcs_/)
    t.equal(json.client_secret_expires_at, 0)
    const again = await client.manage('PUT', { ...base, client_secret: json.client_secret })
    t.notOk('client_secret' in again.json, 'it has one')
    await client.manage('PUT', { ...base, token_endpoint_auth_method: 'none' })
    t.strictSame((await deps.clientAdministration.show(client.id)).secretDigests, [])
  },
)

t.test('what an operator has decided of a client stays', async (t) => {
  const client = await registerApp(service)
  const decided = { consent: 'remember', requirePkce: false, responseModes: ['query'] } as const
  await deps.clientAdministration.update(
    client.id,
    {
      ...{ audience: ['https://api.example'], corsOrigins: ['https://app.example'] },
      ...{ scope: ['openid', 'orders'], refreshGraceSeconds: 5, settings: decided },
    },
    byOperator,
  )
  const scope = 'openid orders admin'
  const { json } = await client.manage('PUT', { ...webApp, client_id: client.id, scope })
  t.equal(json.scope, 'openid orders')
  t.match(await deps.clientAdministration.show(client.id), {
    registeredBy: 'token',
    audience: ['https://api.example'],
    corsOrigins: ['https://app.example'],
    refreshGraceSeconds: 5,
    settings: decided,
  })
})

/** What a client may not say when it replaces its registration. */
const refused: Record<string, [rest: object, error: string, description: string]> = {
  'no client_id': [{ client_id: undefined }, 'invalid_client_metadata', 'client_id is required'],
  'another client_id': [
    { client_id: 'app_other' },
    'invalid_client_metadata',
    'client_id is not the client of the address',
  ],
  'a secret that it has not': [
    { client_secret: 'tcs_x' },
    'invalid_client_metadata',
    'client_secret is not the present one',
  ],
  ...Object.fromEntries(
    [
      ['registration_access_token', 'tra_x'],
      ['registration_client_uri', 'https://evil.example'],
      ['client_secret_expires_at', 0],
      ['client_id_issued_at', 0],
    ].map(([name, value]) => [
      `${name}`,
      [{ [`${name}`]: value }, 'invalid_client_metadata', `${name} must not be stated`],
    ]),
  ),
  'a script to redirect to': [
    { redirect_uris: ['javascript:alert(1)'] },
    'invalid_redirect_uri',
    'redirect_uris must be https URIs, http URIs of the own machine, or URIs of a private scheme with a dot',
  ],
  'no redirect URI': [
    { redirect_uris: null },
    'invalid_redirect_uri',
    'redirect_uris must not be empty for authorization_code',
  ],
  'a software statement': [
    { software_statement: 'a.b.c' },
    'unapproved_software_statement',
    'Software statements are not accepted',
  ],
}

for (const [fault, [rest, error, description]] of Object.entries(refused)) {
  t.test(`a replacement is refused for ${fault}, and nothing changes`, async (t) => {
    const client = await registerApp(service)
    const body = { ...webApp, client_id: client.id, client_name: 'Other', ...rest }
    const { status, json } = await client.manage('PUT', body)
    t.strictSame([status, json], [400, { error, error_description: description }])
    t.strictSame((await client.manage('GET')).json, told(client.json))
  })
}

t.test('a client ends its registration with all that it was granted (RFC 7592 §2.3)', async (t) => {
  const client = await registerApp(service, { grant_types: ['client_credentials'] })
  const headers = basic(client.id, client.json.client_secret)
  const get = () => postForm(app, '/token', { grant_type: 'client_credentials' }, headers)
  const { access_token: token } = (await get()).json()
  const watcher = await createMachine(deps, { resourceServer: ['http://localhost:4000'] })
  const introspect = async () =>
    (await postForm(app, '/introspect', { token }, watcher.headers)).json().active
  t.equal(await introspect(), true)

  const { status, json } = await client.manage('DELETE')
  t.strictSame([status, json], [204, undefined])
  t.equal((await get()).statusCode, 401)
  t.equal(await introspect(), false)
  for (const method of ['GET', 'PUT', 'DELETE'] as const) {
    const body = method === 'PUT' ? { client_id: client.id } : undefined
    t.match(await client.manage(method, body), refusal())
  }
  t.strictSame(await eventsOf(client.id, 'client.deleted'), [{ actor: client.id, details: {} }])
  await t.rejects(deps.clientAdministration.show(client.id), { code: 'not_found' })
})

t.test(
  'whatever is wrong with a token, and whichever client there is, the answer is the same',
  async (t) => {
    const client = await registerApp(service)
    const other = await registerApp(service)
    const machine = await createMachine(deps)
    const methods = ['GET', 'PUT', 'DELETE'] as const
    const attempts: [id: string, headers: Record<string, string>][] = [
      [client.id, bearer(other.access)],
      ['app_unknown', bearer(client.access)],
      [machine.id, bearer(client.access)],
      ['first-party', bearer(client.access)],
      [client.id, bearer('tra_x')],
      [client.id, bearer(client.json.client_secret)],
      [client.id, { authorization: 'Basic YTpi' }],
      [client.id, basic(client.id, client.json.client_secret)],
      ['%00', bearer(client.access)],
    ]
    for (const [id, headers] of attempts) {
      for (const method of methods) {
        const body = method === 'PUT' ? {} : undefined
        const answer = await askRegistration(app, id, { method, headers, body })
        t.match(answer, refusal(), `${method} ${id} by ${JSON.stringify(Object.values(headers))}`)
      }
    }
    for (const method of methods) {
      const body = method === 'PUT' ? {} : undefined
      t.match(await askRegistration(app, client.id, { method, body }), refusal(realm))
    }
    t.equal((await client.manage('GET')).status, 200)
  },
)

t.test('a client that an operator has disabled manages nothing', async (t) => {
  const client = await registerApp(service)
  await deps.clientAdministration.disable(client.id, byOperator)
  for (const method of ['GET', 'PUT', 'DELETE'] as const) {
    const body = method === 'PUT' ? { ...webApp, client_id: client.id } : undefined
    t.match(await client.manage(method, body), refusal())
  }
})
