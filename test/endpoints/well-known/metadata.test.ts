import * as oauth from 'oauth4webapi'
import t from 'tap'
import { startService } from '../../support/service.ts'

const path = '/.well-known/oauth-authorization-server'
const methods = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt']
const assertionAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']

t.test(
  'the metadata say what is registered, and nothing that is empty (RFC 8414 §2)',
  async (t) => {
    const { app } = await startService(t)

    const answer = await app.inject(path)

    t.equal(answer.statusCode, 200)
    t.match(answer.headers, {
      'content-type': /^application\/json/,
      'cache-control': /^public, max-age=300/,
    })
    t.same(answer.json(), {
      issuer: 'http://localhost:4000',
      token_endpoint: 'http://localhost:4000/token',
      dpop_signing_alg_values_supported: ['RS256', 'ES256', 'EdDSA', 'PS256', 'Ed25519'],
      grant_types_supported: ['client_credentials', 'refresh_token'],
      token_endpoint_auth_methods_supported: methods,
      token_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
      revocation_endpoint: 'http://localhost:4000/revoke',
      revocation_endpoint_auth_methods_supported: methods,
      revocation_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
      introspection_endpoint: 'http://localhost:4000/introspect',
      introspection_endpoint_auth_methods_supported: methods.slice(1),
      introspection_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
      registration_endpoint: 'http://localhost:4000/connect/register',
      jwks_uri: 'http://localhost:4000/.well-known/jwks.json',
      service_documentation: 'http://localhost:4000/docs',
      scopes_supported: ['account', 'admin'],
    })
  },
)

for (const issuer of ['http://localhost:4000', 'http://localhost:4000/auth/v1']) {
  t.test(`a client finds everything from the issuer ${issuer} alone`, async (t) => {
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
        algorithm: 'oauth2',
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
