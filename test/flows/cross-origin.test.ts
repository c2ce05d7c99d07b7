import type { InjectOptions } from 'fastify'
import t, { type Test } from 'tap'
import { isProblem, newPassword, startApi } from '../endpoints/auth/api.ts'
import { waitUntil } from '../support/wait-until.ts'

const everywhere = 'https://app.example.com'
const shop = 'https://shop.example.net'
const blog = 'http://localhost:3000'
const act = { actor: 'cli', origin: {} }

const settings = {
  CORS_ORIGINS: everywhere,
  BODY_LIMIT_BYTES: '1024',
  RATE_LIMIT_REGISTRATION: '1/60',
}
const api = await startApi(t, settings)
const person = await api.join()

const createClient = (name: string, origin: string) =>
  api.deps.clientAdministration.create(
    { name, grantTypes: ['client_credentials'], scope: ['read'], corsOrigins: [origin] },
    act,
  )
const shopClient = await createClient('Shop', shop)
const blogClient = await createClient('Blog', blog)

const basic = ({ client, secret = '' }: typeof shopClient): string =>
  `Basic ${Buffer.from(`${client.id}:${secret}`).toString('base64')}`

const send = (options: InjectOptions, origin: string | undefined) =>
  api.app.inject({
    ...options,
    headers: { ...options.headers, ...(origin === undefined ? {} : { origin }) },
  })

const form = { 'content-type': 'application/x-www-form-urlencoded' }
const json = { 'content-type': 'application/json' }
const bearer = { authorization: `Bearer ${person.token}` }

/** Every kind of answer to a browser app; none but the first is a success. */
const answers: readonly (readonly [status: number, what: string, request: InjectOptions])[] = [
  [200, 'an answer', { url: '/auth/me', headers: bearer }],
  [
    400,
    'a body that cannot be read',
    { method: 'POST', url: '/auth/login', headers: json, payload: '{' },
  ],
  [400, 'a body that is not valid', { method: 'POST', url: '/auth/login', payload: {} }],
  [400, 'an address that cannot be decoded', { url: '/auth/%' }],
  [
    400,
    'a refused grant',
    {
      method: 'POST',
      url: '/token',
      headers: { ...form, authorization: basic(shopClient) },
      payload: 'grant_type=x',
    },
  ],
  [401, 'a challenge', { url: '/auth/me' }],
  [
    401,
    'a challenge to a client',
    {
      method: 'POST',
      url: '/token',
      headers: { ...form, authorization: 'Basic eDp5' },
      payload: 'grant_type=client_credentials',
    },
  ],
  [
    401,
    'a wrong password',
    { method: 'POST', url: '/auth/login', payload: { email: 'x@example.com', password: 'x' } },
  ],
  [
    403,
    'a wrong current password',
    {
      method: 'POST',
      url: '/auth/password',
      headers: bearer,
      payload: { current_password: 'x', new_password: newPassword() },
    },
  ],
  [404, 'an unknown address', { url: '/nowhere' }],
  [
    404,
    'something that is not there',
    { method: 'DELETE', url: '/auth/sessions/x', headers: bearer },
  ],
  [405, 'a wrong method', { method: 'DELETE', url: '/auth/login' }],
  [
    409,
    'a name that is taken',
    {
      method: 'PATCH',
      url: '/auth/me',
      headers: bearer,
      payload: { email: '', current_password: person.password },
    },
  ],
  [
    413,
    'a body that is too large',
    { method: 'POST', url: '/auth/login', payload: { email: 'x'.repeat(2000) } },
  ],
  [414, 'an address that is too long', { url: `/auth/me?${'x'.repeat(9000)}` }],
  [
    415,
    'a body of another type',
    { method: 'POST', url: '/auth/login', headers: form, payload: 'a=b' },
  ],
  [
    429,
    'too many requests',
    {
      method: 'POST',
      url: '/auth/register',
      payload: { email: 'y@example.com', password: newPassword() },
    },
  ],
]

t.test(
  'every answer may be read by scripts of an origin of CORS_ORIGINS, with credentials',
  async (t) => {
    const other = await api.deps.userAdministration.createUser({ email: 'taken@example.com' }, act)
    t.ok(other)
    for (const [status, what, request] of answers) {
      const sent =
        status === 409
          ? {
              ...request,
              payload: { email: 'taken@example.com', current_password: person.password },
            }
          : request
      const { statusCode, headers } = await send(sent, everywhere)
      t.equal(statusCode, status, what)
      t.match(
        headers,
        {
          'access-control-allow-origin': everywhere,
          'access-control-allow-credentials': 'true',
          'access-control-expose-headers': /Retry-After, WWW-Authenticate, X-Request-Id/,
          vary: /Origin/i,
        },
        what,
      )
    }
  },
)

t.test('no answer may be read by scripts of another origin', async (t) => {
  for (const origin of ['https://evil.example', `${everywhere}.evil.example`, 'null']) {
    for (const [, what, request] of answers) {
      const { headers } = await send(request, origin)
      t.equal(headers['access-control-allow-origin'], undefined, what)
      t.equal(headers['access-control-allow-credentials'], undefined, what)
    }
  }
})

t.test('a locked account says so to scripts too', async (t) => {
  const payload = { email: 'locked@example.com', password: 'x' }
  const login = { method: 'POST', url: '/auth/login', payload } as const
  const locked = await waitUntil('the lockout', async () => {
    const answer = await send(login, everywhere)
    return answer.statusCode === 429 && answer
  })
  t.match(locked.headers, { 'access-control-allow-origin': everywhere, 'retry-after': /^\d+$/ })
})

t.test('a service that sheds load says so to scripts too', async (t) => {
  const { app } = await startApi(t, {
    ...{ ...settings, PASSWORD_HASH_QUEUE_LIMIT: '0', PASSWORD_HASH_CONCURRENCY: '1' },
  })
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      app.inject({
        ...{ method: 'POST', url: '/auth/login', headers: { origin: everywhere } },
        payload: { email: `${index}@example.com`, password: 'x' },
      }),
    ),
  )
  const shed = answers.filter(({ statusCode }) => statusCode === 503)
  t.ok(shed.length > 0)
  for (const { headers } of shed) {
    t.match(headers, { 'access-control-allow-origin': everywhere, 'retry-after': /^\d+$/ })
  }
})

const askToken = (client: typeof shopClient, origin: string) =>
  send(
    {
      ...{ method: 'POST', url: '/token', payload: 'grant_type=client_credentials' },
      headers: { ...form, authorization: basic(client) },
    },
    origin,
  )

t.test("an origin of a client may read that client's answers, and no other's", async (t) => {
  const permitted = (origin: string | undefined) => ({
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': origin === undefined ? undefined : 'true',
  })
  t.match((await askToken(shopClient, shop)).headers, permitted(shop))
  t.match((await askToken(blogClient, blog)).headers, permitted(blog))
  t.match((await askToken(shopClient, blog)).headers, permitted(undefined))
  t.match((await askToken(blogClient, shop)).headers, permitted(undefined))
  t.match((await askToken(blogClient, everywhere)).headers, permitted(everywhere))
  for (const url of ['/revoke', '/introspect']) {
    const ask = (origin: string) =>
      send(
        {
          ...{ method: 'POST', url, payload: 'token=x' },
          headers: { ...form, authorization: basic(shopClient) },
        },
        origin,
      )
    t.match((await ask(shop)).headers, permitted(shop), url)
    t.match((await ask(blog)).headers, permitted(undefined), url)
  }
})

t.test(
  'as long as no client is known, the origins of all clients may read the refusal',
  async (t) => {
    const requests: readonly InjectOptions[] = [
      { method: 'POST', url: '/token', headers: json, payload: '{}' },
      { method: 'POST', url: '/token', headers: form, payload: 'grant_type=client_credentials' },
      { method: 'POST', url: '/token', headers: form, payload: 'a=%ff' },
      { method: 'GET', url: '/token' },
      { url: '/nowhere' },
    ]
    for (const request of requests) {
      const { statusCode, headers } = await send(request, shop)
      t.ok(statusCode >= 400)
      t.equal(headers['access-control-allow-origin'], shop)
    }
  },
)

t.test('the origin of a client reads nothing of the first-party API', async (t) => {
  const { statusCode, headers } = await send({ url: '/auth/me', headers: bearer }, shop)
  t.equal(statusCode, 200)
  t.equal(headers['access-control-allow-origin'], undefined)
})

const preflight = (origin: string) =>
  send(
    {
      ...{ method: 'OPTIONS', url: '/token' },
      headers: {
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,x-csrf-token',
      },
    },
    origin,
  )

t.test(
  'a preflight is answered for the origins of all clients that are not disabled',
  async (t) => {
    for (const origin of [everywhere, shop, blog]) {
      const { statusCode, headers } = await preflight(origin)
      t.equal(statusCode, 204)
      t.match(headers, {
        'access-control-allow-origin': origin,
        'access-control-allow-headers': /X-CSRF-Token/,
      })
    }
    await api.deps.clientAdministration.disable(blogClient.client.id, act)
    t.equal((await preflight(blog)).headers['access-control-allow-origin'], undefined)
    await api.deps.clientAdministration.enable(blogClient.client.id, act)
    t.equal((await preflight(blog)).headers['access-control-allow-origin'], blog)
  },
)

t.test('a change of the origins of a client counts at once', async (t) => {
  const other = 'https://moved.example.net'
  await api.deps.clientAdministration.update(blogClient.client.id, { corsOrigins: [other] }, act)
  t.equal((await preflight(blog)).headers['access-control-allow-origin'], undefined)
  t.equal((await preflight(other)).headers['access-control-allow-origin'], other)
  t.equal((await askToken(blogClient, other)).headers['access-control-allow-origin'], other)
})

t.test('a client is not registered with what is no exact origin', async (t: Test) => {
  for (const origin of [
    '*',
    'https://shop.example.net/',
    'shop.example.net',
    'null',
    'https://*.x',
  ]) {
    const created = createClient('Bad', origin)
    await t.rejects(created, {
      code: 'validation',
      options: {
        fields: [
          {
            field: 'cors_origins',
            message: 'must be origins such as https://app.example.com, without a path',
          },
        ],
      },
    })
  }
  isProblem(t, await api.get('/auth/me'), 'missing_credentials')
})
