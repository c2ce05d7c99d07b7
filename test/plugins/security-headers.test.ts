import t from 'tap'
import { pageHeaders } from '../../src/plugins/security-headers.ts'
import { createTestServer, parseAnswer, sendBytes } from './test-server.ts'

const common = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-powered-by': undefined,
  server: undefined,
}
const hsts = 'max-age=31536000; includeSubDomains'

const start = (issuer: string) =>
  createTestServer(
    t,
    (scope) => {
      scope.get('/data', async () => ({}))
      scope.get('/bug', async () => {
        throw new Error('bug')
      })
      scope.get('/cached', async (_request, reply) => {
        reply.header('cache-control', 'public, max-age=300')
        return {}
      })
    },
    { issuer },
  )

const requests = {
  'an answer': '/data',
  'an unknown address': '/nowhere',
  'a failure': '/bug',
  'an address that cannot be decoded': '/%zz',
}

for (const [name, url] of Object.entries(requests)) {
  t.test(`${name} carries the security headers, with HSTS when the issuer is https`, async (t) => {
    const { app } = await start('https://issuer.example')
    const { headers } = await app.inject(url)
    t.match(headers, { ...common, 'strict-transport-security': hsts })
  })

  t.test(`${name} of an http issuer asks for no https`, async (t) => {
    const { app } = await start('http://192.168.1.5:4000')
    const { headers } = await app.inject(url)
    t.match(headers, { ...common, 'strict-transport-security': undefined })
    t.notMatch(headers['content-security-policy'], /upgrade-insecure-requests/)
  })
}

t.test('what is not HTTP is answered with the security headers as well', async (t) => {
  const { app } = await start('https://issuer.example')
  const { headers } = parseAnswer(await sendBytes(app, 'not http\r\n\r\n'))
  t.match(headers, { ...common, 'strict-transport-security': hsts })
})

t.test('what helmet sets by default is there as well', async (t) => {
  const { app } = await start('https://issuer.example')
  t.match((await app.inject('/data')).headers, {
    'cross-origin-opener-policy': 'same-origin',
    'origin-agent-cluster': '?1',
    'x-dns-prefetch-control': 'off',
    'x-permitted-cross-domain-policies': 'none',
  })
})

t.test('a route may allow caching, and then says so itself', async (t) => {
  const { app } = await start('https://issuer.example')
  const { headers } = await app.inject('/cached')
  t.equal(headers['cache-control'], 'public, max-age=300')
})

t.test('a page runs only files of this service, and is framed by nobody', async (t) => {
  t.same(pageHeaders({ 'img-src': "'self' data:" }), {
    'content-security-policy':
      "default-src 'none';base-uri 'none';connect-src 'self';form-action 'self';" +
      "frame-ancestors 'none';img-src 'self' data:;script-src 'self';style-src 'self'",
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  })
})
