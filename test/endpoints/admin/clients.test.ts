import { test } from 'tap'
import { isProblem } from '../auth/api.ts'
import { startAdminApi } from './admin-api.ts'

test('clients as administrators manage them', async (t) => {
  const api = await startAdminApi(t)
  const admin = await api.joinAdmin()
  const post = (path: string, body?: object) => api.post(`/admin${path}`, body, admin.token)
  const get = (path: string) => api.get(`/admin${path}`, admin.token)
  const machine = { client_name: 'Reports', scope: 'read write', audience: ['https://api.example'] }
  const create = async (body: object = machine) => (await post('/clients', body)).json

  const useSecret = (id: string, secret: string) =>
    api.request({
      method: 'POST',
      url: '/token',
      headers: {
        authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      payload: 'grant_type=client_credentials',
    })

  await t.test('one is created with a secret that is shown once', async (t) => {
    const { status, json } = await post('/clients', machine)
    t.equal(status, 201)
    const { client_secret: secret, ...shown } = json
    t.match(shown, {
      client_name: 'Reports',
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['client_credentials'],
      scope: 'read write',
      audience: ['https://api.example'],
      built_in: false,
      disabled_at: null,
    })
    t.equal((await useSecret(shown.client_id, secret)).status, 200)
    t.strictSame((await get(`/clients/${shown.client_id}`)).json, shown)
    const listed = (await get('/clients')).json.clients
    t.ok(listed.some(({ client_id }: { client_id: string }) => client_id === shown.client_id))
    t.ok(listed.some(({ built_in }: { built_in: boolean }) => built_in))
    const event = await api.db
      .selectFrom('audit_events')
      .select(['actor', 'address'])
      .where('client_id', '=', shown.client_id)
      .where('type', '=', 'client.created')
      .executeTakeFirstOrThrow()
    t.strictSame(event, { actor: admin.id, address: '127.0.0.1' })
  })

  await t.test('a change keeps what it does not state, and is audited by member', async (t) => {
    const { client_secret: _secret, ...client } = await create()
    const change = {
      ...{ client_name: 'Other', scope: 'read', refresh_grace_seconds: 5 },
      cors_origins: ['https://app.example'],
    }
    const url = `/admin/clients/${client.client_id}`
    const changed = await api.patch(url, change, admin.token)
    t.strictSame([changed.status, changed.json], [200, { ...client, ...change }])
    const again = await api.patch(url, change, admin.token)
    t.strictSame([again.status, again.json], [200, changed.json])
    const events = await api.db
      .selectFrom('audit_events')
      .select(['actor', 'details'])
      .where('client_id', '=', client.client_id)
      .where('type', '=', 'client.updated')
      .execute()
    const members = ['client_name', 'cors_origins', 'refresh_grace_seconds', 'scope']
    t.strictSame(events, [{ actor: admin.id, details: { changed: members } }])
  })

  await t.test(
    'settings are members of the client; it shows those that are no defaults',
    async (t) => {
      const settings = {
        consent: 'always',
        default_max_age: 3600,
        dpop_bound_access_tokens: true,
        jwks_uri: 'https://app.example/jwks.json',
        post_logout_redirect_uris: ['https://app.example/bye'],
      }
      const { client_secret: _secret, ...client } = await create({ ...machine, ...settings })
      t.match(client, settings)
      t.notOk('require_pkce' in client)
      const url = `/admin/clients/${client.client_id}`
      const change = { consent: null, require_pkce: false, refresh_token_rotation: 'static' }
      const { status, json } = await api.patch(url, change, admin.token)
      const { consent: _consent, ...rest } = { ...client, ...change }
      t.strictSame([status, json], [200, rest])
      t.strictSame((await get(`/clients/${client.client_id}`)).json, json)
      const { details } = await api.db
        .selectFrom('audit_events')
        .select('details')
        .where('client_id', '=', client.client_id)
        .where('type', '=', 'client.updated')
        .executeTakeFirstOrThrow()
      t.strictSame(details, { changed: ['consent', 'refresh_token_rotation', 'require_pkce'] })
    },
  )

  await t.test(
    'settings that cannot be are refused, as are those that there are not',
    async (t) => {
      const names = {
        tls_client_auth_san_dns: 'a.example',
        tls_client_auth_san_uri: 'https://a.example',
      }
      isProblem(t, await post('/clients', { ...machine, ...names }), 'validation', {
        fields: [
          {
            field: 'tls_client_auth',
            message:
              'needs exactly one of tls_client_auth_subject_dn, tls_client_auth_san_dns, tls_client_auth_san_uri, tls_client_auth_san_ip, tls_client_auth_san_email',
          },
          {
            field: 'tls_client_auth',
            message: 'is of use only with the method tls_client_auth',
          },
        ],
      })
      isProblem(t, await post('/clients', { ...machine, colour: 'red' }), 'validation', {
        fields: [{ field: 'colour', message: 'is not a member of this request' }],
      })
      isProblem(t, await post('/clients', { ...machine, contacts: 'me' }), 'validation', {
        fields: [{ field: 'contacts', message: 'must be of type array' }],
      })
    },
  )

  await t.test('the old secret is good for the overlap, and no longer', async (t) => {
    const { client_id: id, client_secret: old } = await create()
    const body = { overlap_seconds: 60 }
    const { status, json } = await post(`/clients/${id}/rotate-secret`, body)
    t.equal(status, 200)
    t.equal((await useSecret(id, old)).status, 200)
    t.equal((await useSecret(id, json.client_secret)).status, 200)
    const final = await post(`/clients/${id}/rotate-secret`, { overlap_seconds: 0 })
    t.equal((await useSecret(id, old)).status, 401)
    t.equal((await useSecret(id, json.client_secret)).status, 401)
    t.equal((await useSecret(id, final.json.client_secret)).status, 200)
    t.equal((await post(`/clients/${id}/rotate-secret`)).status, 200, 'a day, if nothing is said')
  })

  await t.test('a disabled one gets no tokens until it is enabled, twice each', async (t) => {
    const { client_id: id, client_secret: secret } = await create()
    for (const again of [false, true]) {
      const { status, json } = await post(`/clients/${id}/disable`)
      t.equal(status, 200, `${again}`)
      t.ok(json.disabled_at)
    }
    t.equal((await useSecret(id, secret)).status, 401)
    for (const again of [false, true]) {
      t.match(await post(`/clients/${id}/enable`), { status: 200, json: { disabled_at: null } })
      t.equal((await useSecret(id, secret)).status, 200, `${again}`)
    }
  })

  await t.test('what cannot be is refused, with all faults at once', async (t) => {
    const { client_id: id } = await create()
    const url = `/admin/clients/${id}`
    const fields = [
      { field: 'client_name', message: 'must be 1 to 200 characters of text' },
      { field: 'audience', message: 'must be URIs without a fragment, or plain names' },
    ]
    const wrong = { client_name: ' ', audience: ['a b'] }
    isProblem(t, await api.patch(url, wrong, admin.token), 'validation', { fields })
    isProblem(t, await post('/clients', { ...machine, ...wrong }), 'validation', { fields })
    const grace = await api.patch(url, { refresh_grace_seconds: 601 }, admin.token)
    const message = 'must be <= 600'
    isProblem(t, grace, 'validation', { fields: [{ field: 'refresh_grace_seconds', message }] })
    isProblem(t, await post('/clients', { ...machine, client_id: id }), 'conflict', {
      detail: `A client with the id ${id} exists`,
    })
  })

  await t.test('the built-in one stays as it is; an unknown one is not found', async (t) => {
    const detail = 'The built-in client cannot be changed'
    const acts = ['disable', 'enable', 'rotate-secret']
    for (const act of acts) {
      isProblem(t, await post(`/clients/first-party/${act}`), 'conflict', { detail })
    }
    const change = { client_name: 'Mine' }
    const builtIn = await api.patch('/admin/clients/first-party', change, admin.token)
    isProblem(t, builtIn, 'conflict', { detail })
    const unknown = { detail: 'There is no client with the id none' }
    for (const act of acts) {
      isProblem(t, await post(`/clients/none/${act}`), 'not_found', unknown)
    }
    isProblem(t, await get('/clients/none'), 'not_found', unknown)
    const none = await api.patch('/admin/clients/none', change, admin.token)
    isProblem(t, none, 'not_found', unknown)
    isProblem(t, await get('/clients/%00'), 'not_found')
    isProblem(t, await post('/clients/a%00/disable'), 'not_found')
  })
})

test('audiences as administrators manage them', async (t) => {
  const api = await startAdminApi(t)
  const { token } = await api.joinAdmin()
  const audience = {
    audience: 'https://api.example/v1',
    signing_algorithm: 'ES256',
    access_token_ttl_seconds: 60,
    scope: ['read'],
  }
  const set = await api.put('/admin/audiences', audience, token)
  t.strictSame([set.status, set.json], [200, audience])
  const listed = await api.get('/admin/audiences', token)
  t.strictSame([listed.status, listed.json], [200, { audiences: [audience] }])
  const plain = await api.put('/admin/audiences', { audience: audience.audience }, token)
  t.strictSame(plain.json, {
    audience: audience.audience,
    ...{ signing_algorithm: null, access_token_ttl_seconds: null, scope: null },
  })
  const noScope = { audience: 'x', scope: ['a b', '"'] }
  isProblem(t, await api.put('/admin/audiences', noScope, token), 'validation', {
    fields: [
      {
        field: 'scope',
        message:
          'must be scope tokens: printable ASCII characters without spaces, quotes and backslashes',
      },
    ],
  })
  const wrong = { audience: 'https://api.example/v1', signing_algorithm: 'HS256' }
  isProblem(t, await api.put('/admin/audiences', wrong, token), 'validation', {
    fields: [{ field: 'signing_algorithm', message: 'must be one of RS256, ES256, EdDSA, PS256' }],
  })
})
