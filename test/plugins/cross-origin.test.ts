import t from 'tap'
import { Problem } from '../../src/oauth/problem.ts'
import { createTestServer } from './test-server.ts'

const friend = 'https://app.example'

const server = createTestServer(
  t,
  (scope) => {
    scope.get('/data', async () => ({}))
    scope.get('/refused', async () => {
      throw new Problem('missing_credentials', { challenge: 'Bearer realm="x"' })
    })
    scope.get('/keys', { config: { publicData: true } }, async () => ({}))
    scope.post('/token', { config: { errorFormat: 'oauth' } }, async () => ({}))
  },
  { corsOrigins: [friend, 'http://localhost:3000'] },
)

const get = async (url: string, origin?: string) => {
  const { app } = await server
  return app.inject({ url, headers: origin === undefined ? {} : { origin } })
}

const preflight = async (url: string, origin: string) => {
  const { app } = await server
  return app.inject({
    method: 'OPTIONS',
    url,
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  })
}

const exposed =
  'DPoP-Nonce, ETag, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id'

for (const [name, url] of Object.entries({
  'an answer': '/data',
  'a challenge': '/refused',
  'an unknown address': '/nowhere',
  'a method that is not supported': '/token',
})) {
  t.test(`a named origin may read, with credentials: ${name}`, async (t) => {
    const { headers } = await get(url, friend)
    t.match(headers, {
      'access-control-allow-origin': friend,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': exposed,
      vary: /Origin/i,
    })
  })
}

for (const origin of [
  'https://evil.example',
  'https://app.example.evil.example',
  'http://app.example',
  'https://app.example:8443',
  'https://APP.example',
  'null',
]) {
  t.test(`an origin that is not named exactly gets no permission: ${origin}`, async (t) => {
    for (const answer of [await get('/data', origin), await preflight('/token', origin)]) {
      t.match(answer.headers, {
        'access-control-allow-origin': undefined,
        'access-control-allow-credentials': undefined,
        vary: /Origin/i,
      })
    }
  })
}

t.test('public data may be read from every origin, without credentials', async (t) => {
  for (const origin of [friend, 'https://evil.example', 'null']) {
    const { headers } = await get('/keys', origin)
    t.match(headers, {
      'access-control-allow-origin': '*',
      'access-control-allow-credentials': undefined,
      'access-control-expose-headers': exposed,
    })
    t.equal((await preflight('/keys', origin)).headers['access-control-allow-origin'], '*')
  }
})

t.test('a preflight of a named origin learns what it may send', async (t) => {
  const answer = await preflight('/token', 'http://localhost:3000')
  t.equal(answer.statusCode, 204)
  t.match(answer.headers, {
    'access-control-allow-origin': 'http://localhost:3000',
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
    'access-control-allow-headers': /Authorization, Content-Type, DPoP/,
    'access-control-max-age': '600',
  })
})

t.test('a request of no origin gets no permission but the same Vary', async (t) => {
  const { headers } = await get('/data')
  t.match(headers, { 'access-control-allow-origin': undefined, vary: /Origin/i })
})

t.test('public data may be kept by a cache, so they permit everyone always', async (t) => {
  const { headers } = await get('/keys')
  t.match(headers, { 'access-control-allow-origin': '*' })
})
