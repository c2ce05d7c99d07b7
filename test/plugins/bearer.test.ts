import t from 'tap'
import { bearerOf, requireBearer } from '../../src/plugins/bearer.ts'
import type { AccessTokenClaims, Verification } from '../../src/tokens/verifier.ts'
import { createTestServer } from './test-server.ts'

const issuer = 'https://issuer.example'

const claims: AccessTokenClaims = {
  issuer,
  subject: 'user-1',
  clientId: 'first-party',
  audience: ['https://api.example', issuer],
  scope: ['openid', 'account'],
  tokenId: 'token-1',
  issuedAt: new Date(0),
  expiresAt: new Date(900_000),
  roles: [],
  permissions: [],
  raw: {},
}

/** What the verifier says of each token of these tests. */
const verifications: Record<string, Verification> = {
  good: { ok: true, claims },
  admin: { ok: true, claims: { ...claims, scope: ['account', 'admin'] } },
  'other-audience': { ok: true, claims: { ...claims, audience: ['https://api.example'] } },
  'audience-prefix': {
    ok: true,
    claims: { ...claims, audience: [`${issuer}/`, 'https://issuer'] },
  },
  'other-scope': { ok: true, claims: { ...claims, scope: ['accounts', 'openid'] } },
  machine: { ok: true, claims: { ...claims, subject: 'machine', clientId: 'machine' } },
  malformed: { ok: false, reason: 'malformed' },
  forged: { ok: false, reason: 'invalid' },
  expired: { ok: false, reason: 'expired' },
  refresh: { ok: false, reason: 'wrong_type' },
  revoked: { ok: false, reason: 'revoked' },
}

const server = createTestServer(t, (scope) => {
  const verifier = { verify: async (token: string) => verifications[token] ?? fail(token) }
  for (const scopeName of ['account', 'admin'] as const) {
    const onRequest = requireBearer(verifier, issuer, scopeName)
    scope.get(`/${scopeName}`, { onRequest }, async (request) => ({
      subject: bearerOf(request).subject,
    }))
  }
  scope.get('/open', async (request) => bearerOf(request))
})

const fail = (token: string): never => {
  throw new Error(`the verifier was asked about ${token}`)
}

const get = async (url: string, authorization?: string) => {
  const { app } = await server
  return app.inject({ url, headers: authorization === undefined ? {} : { authorization } })
}

const realm = `Bearer realm="${issuer}"`

for (const authorization of ['Bearer good', 'bearer good', 'BEARER  good ']) {
  t.test(
    `a good token is accepted as "${authorization}" (RFC 6750 §2.1, RFC 9110 §11.1)`,
    async (t) => {
      const answer = await get('/account', authorization)
      t.equal(answer.statusCode, 200)
      t.same(answer.json(), { subject: 'user-1' })
    },
  )
}

const refused: Record<
  string,
  { authorization?: string; status: number; code: string; challenge: string }
> = {
  'no header': { status: 401, code: 'missing_credentials', challenge: realm },
  ...Object.fromEntries(
    ['Bearer', 'Bearer ', 'Basic Zm9vOmJhcg==', 'good', 'Bearer good extra', 'Bearer "good"'].map(
      (authorization) => [
        `the header "${authorization}"`,
        {
          authorization,
          status: 400,
          code: 'malformed_authorization',
          challenge: `${realm}, error="invalid_request"`,
        },
      ],
    ),
  ),
  ...Object.fromEntries(
    Object.entries({
      malformed: 'invalid_token',
      forged: 'invalid_token',
      expired: 'expired_token',
      refresh: 'wrong_token_type',
      revoked: 'revoked_token',
    }).map(([token, code]) => [
      `a token that is ${token}`,
      {
        authorization: `Bearer ${token}`,
        status: 401,
        code,
        challenge: `${realm}, error="invalid_token"`,
      },
    ]),
  ),
  ...Object.fromEntries(
    ['other-audience', 'audience-prefix', 'other-scope', 'machine'].map((token) => [
      `a token meant for something else: ${token}`,
      {
        authorization: `Bearer ${token}`,
        status: 403,
        code: 'insufficient_scope',
        challenge: `${realm}, error="insufficient_scope", scope="account"`,
      },
    ]),
  ),
}

for (const [name, { authorization, status, code, challenge }] of Object.entries(refused)) {
  t.test(`our own endpoints refuse with ${code}: ${name}`, async (t) => {
    const answer = await get('/account', authorization)
    t.equal(answer.statusCode, status)
    t.match(answer.json(), { code, status })
    t.equal(answer.headers['www-authenticate'], challenge)
  })
}

t.test('the scope that is asked for is the one that counts', async (t) => {
  t.equal((await get('/admin', 'Bearer admin')).statusCode, 200)
  const answer = await get('/admin', 'Bearer good')
  t.equal(answer.statusCode, 403)
  t.equal(answer.headers['www-authenticate'], `${realm}, error="insufficient_scope", scope="admin"`)
})

t.test('a token in the query is not looked at (OAuth 2.1 §5.2)', async (t) => {
  const answer = await get('/account?access_token=good')
  t.match(answer.json(), { code: 'missing_credentials' })
})

t.test('reading the token of a route that demands none is a mistake of the program', async (t) => {
  t.equal((await get('/open')).statusCode, 500)
})
