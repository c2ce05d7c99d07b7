import { createLocalJWKSet, jwtVerify } from 'jose'
import t from 'tap'
import { register, startService } from '../../support/service.ts'

t.test('the published keys verify what the service signs, and hold nothing private', async (t) => {
  const { app, config } = await startService(t)
  const { access_token: accessToken } = await register(app)

  const answer = await app.inject('/.well-known/jwks.json')

  t.equal(answer.statusCode, 200)
  t.match(answer.headers, {
    'content-type': /^application\/json/,
    'cache-control': 'public, max-age=300, stale-while-revalidate=60',
    etag: /^"[\w-]{43}"$/,
  })
  const jwks = answer.json()
  t.same([...new Set(jwks.keys.map(({ alg }: { alg: string }) => alg))].sort(), [
    'ES256',
    'EdDSA',
    'PS256',
    'RS256',
  ])
  for (const key of jwks.keys) {
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'oth']) t.notOk(member in key)
  }
  const { payload } = await jwtVerify(accessToken, createLocalJWKSet(jwks), {
    issuer: config.issuer,
    audience: config.issuer,
  })
  t.equal(payload.iss, config.issuer)
})

t.test('whoever has the present keys is answered 304 (RFC 9110 §13.1.2)', async (t) => {
  const { app } = await startService(t)
  const url = '/.well-known/jwks.json'
  const first = await app.inject(url)
  const etag = String(first.headers.etag)

  for (const header of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const answer = await app.inject({ url, headers: { 'if-none-match': header } })
    t.equal(answer.statusCode, 304, header)
    t.equal(answer.body, '')
    t.match(answer.headers, { etag, 'cache-control': first.headers['cache-control'] })
  }
  const answer = await app.inject({ url, headers: { 'if-none-match': '"other"' } })
  t.equal(answer.statusCode, 200)
  t.equal(answer.body, first.body)
})

t.test('scripts of every origin may read the keys and the metadata', async (t) => {
  const { app } = await startService(t)
  for (const url of ['/.well-known/jwks.json', '/.well-known/oauth-authorization-server']) {
    const answer = await app.inject({ url, headers: { origin: 'https://anything.example' } })
    t.equal(answer.statusCode, 200)
    t.equal(answer.headers['access-control-allow-origin'], '*')
  }
})
