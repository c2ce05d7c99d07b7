import * as oauth from 'oauth4webapi'
import t from 'tap'
import { startService } from '../../support/service.ts'

const path = '/.well-known/oauth-authorization-server'

t.test(
  'both documents are one, for caches, and nothing in it is empty (RFC 8414 §3.2)',
  async (t) => {
    const { app } = await startService(t)
    const answers = [await app.inject(path), await app.inject('/.well-known/openid-configuration')]
    for (const answer of answers) {
      t.equal(answer.statusCode, 200)
      t.match(answer.headers, {
        'content-type': /^application\/json/,
        'cache-control': /^public, max-age=300/,
      })
      for (const [name, value] of Object.entries(answer.json())) {
        t.notSame(value, [], name)
        t.not(value, '', name)
        t.not(value, null, name)
      }
    }
    t.strictSame(answers[0]?.json(), answers[1]?.json())
  },
)

const issuers = ['http://localhost:4000', 'http://localhost:4000/auth/v1']
const algorithms = ['oauth2', 'oidc'] as const
const cases = issuers.flatMap((issuer) =>
  algorithms.map((algorithm) => [issuer, algorithm] as const),
)
for (const [issuer, algorithm] of cases) {
  t.test(`a client finds everything from the issuer ${issuer} alone (${algorithm})`, async (t) => {
    const { app } = await startService(t, { ISSUER: issuer })
    const inject = async (url: string) => {
      const { pathname } = new URL(url)
      const answer = await app.inject(pathname)
      return new Response(answer.body, {
        status: answer.statusCode,
        headers: { 'content-type': String(answer.headers['content-type']) },
      })
    }

    const server = await oauth.processDiscoveryResponse(
      new URL(issuer),
      await oauth.discoveryRequest(new URL(issuer), {
        algorithm,
        [oauth.allowInsecureRequests]: true,
        [oauth.customFetch]: inject,
      }),
    )

    t.equal(server.issuer, issuer)
    t.equal((await inject(server.jwks_uri ?? '')).status, 200)
    t.equal((await inject(server.service_documentation ?? '')).status, 200)
    for (const endpoint of ['token', 'revocation', 'introspection'] as const) {
      const url = server[`${endpoint}_endpoint`] ?? ''
      t.ok(url.startsWith(`${issuer}/`))
      t.equal((await inject(url)).status, 405, `${url} is there, for POST`)
    }
  })
}

t.test(
  'below an issuer with a path nothing answers at the root but health and metadata',
  async (t) => {
    const { app } = await startService(t, { ISSUER: 'http://localhost:4000/auth' })
    for (const url of ['/', '/docs', '/.well-known/jwks.json', '/auth/me', path, `/auth${path}`]) {
      t.equal((await app.inject(url)).statusCode, 404, url)
    }
    for (const url of [
      '/health/live',
      '/health/ready',
      `${path}/auth`,
      '/auth/auth/me',
      '/auth/docs',
    ]) {
      t.not((await app.inject(url)).statusCode, 404, url)
    }
  },
)
