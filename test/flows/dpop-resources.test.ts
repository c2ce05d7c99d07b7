import { randomUUID } from 'node:crypto'
import t from 'tap'
import { askWithKey, presentWithKey, proveTo, takeNonce } from '../support/bound-tokens.ts'
import { createProofKey, nonceOf } from '../support/dpop.ts'
import { createRelyingParty, seedCode, seedSession } from '../support/openid.ts'
import { connect, register, startService } from '../support/service.ts'

// A bound token at our own endpoints (RFC 9449 §7): worth nothing without its key.
const service = await startService(t)
const { app, config } = service
const db = await connect(t, service)
const person = await register(app)
const sessionId = await seedSession(db, person.user.id)
const scope = ['openid', 'account']
const [key, foreignKey] = [createProofKey(), createProofKey()]

const party = await createRelyingParty(
  service,
  { dpopBoundAccessTokens: true },
  { scope, grantTypes: ['authorization_code'] },
)
const takeToken = async (): Promise<string> => {
  const code = await seedCode(db, party, { userId: person.user.id, sessionId, scope })
  const form = { grant_type: 'authorization_code', redirect_uri: 'https://app.example/cb', code }
  return (await askWithKey(service, form, key, party.headers)).json().access_token
}
const token = await takeToken()
const otherToken = await takeToken()
const algs = 'algs="RS256 ES256 EdDSA PS256 Ed25519"'

const paths = ['/auth/me', '/auth/sessions', '/auth/audit-log', '/userinfo']
for (const path of paths) {
  t.test(`${path} accepts a bound token with a proof, and gives the next nonce`, async (t) => {
    const answer = await presentWithKey(service, key, token, path)
    t.equal(answer.statusCode, 200)
    t.ok(nonceOf(answer))
  })
}

const good = (path: string) => ({ method: 'GET', path, accessToken: token })
type Headers = Record<string, string>
const dpop = (proof: string, accessToken = token): Headers => ({
  authorization: `DPoP ${accessToken}`,
  dpop: proof,
})

type Case = readonly [headers: (path: string) => Headers, scheme: 'Bearer' | 'DPoP', error: string]
const wrong: Readonly<Record<string, Case>> = {
  'as a bearer token': [() => ({ authorization: `Bearer ${token}` }), 'Bearer', 'invalid_token'],
  'as a bearer token with a good proof': [
    (path) => ({
      authorization: `Bearer ${token}`,
      dpop: proveTo(service, key, good(path)),
    }),
    'Bearer',
    'invalid_token',
  ],
  'without a proof': [() => ({ authorization: `DPoP ${token}` }), 'DPoP', 'invalid_dpop_proof'],
  'with a proof that is none': [() => dpop('x'), 'DPoP', 'invalid_dpop_proof'],
  'with a proof of another key': [
    (path) => dpop(proveTo(service, foreignKey, good(path))),
    'DPoP',
    'invalid_token',
  ],
  'with a proof for another token': [
    (path) => dpop(proveTo(service, key, { ...good(path), accessToken: otherToken })),
    'DPoP',
    'invalid_dpop_proof',
  ],
  'with a proof without ath': [
    (path) => dpop(proveTo(service, key, { method: 'GET', path })),
    'DPoP',
    'invalid_dpop_proof',
  ],
  'with a proof for another method': [
    (path) => dpop(proveTo(service, key, { ...good(path), method: 'POST' })),
    'DPoP',
    'invalid_dpop_proof',
  ],
  'with a proof for another endpoint': [
    () => dpop(proveTo(service, key, good('/token'))),
    'DPoP',
    'invalid_dpop_proof',
  ],
  'with a proof of two minutes ago': [
    (path) => {
      const iat = Math.floor(service.deps.clock().getTime() / 1000) - 120
      return dpop(proveTo(service, key, { ...good(path), claims: { iat } }))
    },
    'DPoP',
    'invalid_dpop_proof',
  ],
  'with a nonce of another server': [
    (path) => dpop(proveTo(service, key, { ...good(path), nonce: 'of-another' })),
    'DPoP',
    'use_dpop_nonce',
  ],
}

for (const [how, [headers, scheme, error]] of Object.entries(wrong)) {
  for (const path of paths) {
    t.test(`a bound token ${how} is refused at ${path}`, async (t) => {
      const answer = await app.inject({ url: path, headers: headers(path) })

      t.equal(answer.statusCode, 401)
      t.equal(
        answer.headers['www-authenticate'],
        [
          `${scheme} realm="${config.issuer}"`,
          `error="${error}"`,
          ...(scheme === 'DPoP' ? [algs] : []),
        ].join(', '),
      )
      const body = answer.json()
      t.equal(body.code ?? body.error, error)
    })
  }
}

t.test('who asks about a bound token is told of its key', async (t) => {
  const answer = await app.inject({ method: 'POST', url: '/auth/verify', payload: { token } })
  t.match(answer.json(), { active: true, cnf: { jkt: key.jkt } })
})

t.test('a bearer token is no DPoP token, whatever proof comes with it', async (t) => {
  const accessToken = person.access_token
  const answer = await presentWithKey(service, key, accessToken)
  t.equal(answer.statusCode, 401)
  t.match(answer.json(), { code: 'invalid_token' })
  t.match(answer.headers['www-authenticate'], /^DPoP .*error="invalid_token"/)
})

t.test('a bound token in the cookie of a session is refused', async (t) => {
  const cookies = ['tessera_access', '__Host-tessera_access'].map((name) => `${name}=${token}`)
  for (const cookie of cookies) {
    const answer = await app.inject({ url: '/auth/me', headers: { cookie } })
    t.equal(answer.statusCode, 401)
  }
})

t.test('a proof is good for one request; a refused request does not use it up', async (t) => {
  const proof = proveTo(service, key, good('/auth/me'))
  const present = (accessToken: string) =>
    app.inject({ url: '/auth/me', headers: dpop(proof, accessToken) })
  t.equal((await present(otherToken)).statusCode, 401)
  t.equal((await present(token)).statusCode, 200)
  t.match((await present(token)).json(), {
    code: 'invalid_dpop_proof',
    detail: 'The DPoP proof was used before',
  })
})

t.test('HEAD needs a proof for HEAD', async (t) => {
  const present = (method: string) =>
    app.inject({
      method: 'HEAD',
      url: '/auth/me',
      headers: dpop(proveTo(service, key, { ...good('/auth/me'), method })),
    })
  t.equal((await present('GET')).statusCode, 401)
  t.equal((await present('HEAD')).statusCode, 200)
})

t.test('the query of a request does not count, that of another does not either', async (t) => {
  const url = `/auth/audit-log?limit=1&x=${randomUUID()}`
  const proof = proveTo(service, key, good('/auth/audit-log?limit=2'))
  const answer = await app.inject({ url, headers: dpop(proof) })
  t.not(answer.statusCode, 401)
})

t.test('DPOP_NONCES=always: every endpoint demands one, and says which', async (t) => {
  const strict = await startService(t, {
    DATABASE_URL: service.databaseUrl,
    DPOP_NONCES: 'always',
  })
  const without = await presentWithKey(strict, key, token)
  t.equal(without.statusCode, 401)
  t.match(without.headers['www-authenticate'], /^DPoP .*error="use_dpop_nonce"/)
  const nonce = nonceOf(without)
  const again = await strict.app.inject({
    url: '/auth/me',
    headers: dpop(proveTo(strict, key, { ...good('/auth/me'), nonce })),
  })
  t.equal(again.statusCode, 200)
})

t.test('DPOP_NONCES=never: tokens too are given without, but a bad one is refused', async (t) => {
  const lenient = await startService(t, {
    DATABASE_URL: service.databaseUrl,
    DPOP_NONCES: 'never',
  })
  const machine = await createRelyingParty(lenient, {}, { grantTypes: ['client_credentials'] })
  const ask = (nonce?: string) =>
    lenient.app.inject({
      method: 'POST',
      url: '/token',
      headers: {
        ...machine.headers,
        'content-type': 'application/x-www-form-urlencoded',
        dpop: proveTo(lenient, key, { path: '/token', ...(nonce === undefined ? {} : { nonce }) }),
      },
      payload: 'grant_type=client_credentials',
    })
  t.match((await ask()).json(), { token_type: 'DPoP' })
  t.match((await ask(await takeNonce(service))).json(), { token_type: 'DPoP' })
  t.match((await ask('bad')).json(), { error: 'use_dpop_nonce' })
})

t.test(
  'a nonce is good on every node, for five minutes, whatever newer ones there are',
  async (t) => {
    const node = await startService(t, { DATABASE_URL: service.databaseUrl })
    const nonce = await takeNonce(service)
    const present = () =>
      node.app.inject({
        method: 'POST',
        url: '/token',
        headers: {
          ...party.headers,
          'content-type': 'application/x-www-form-urlencoded',
          dpop: proveTo(node, key, { path: '/token', nonce }),
        },
        payload: 'grant_type=authorization_code&code=x',
      })
    t.equal((await present()).json().error, 'invalid_grant')
    node.moveTime(290)
    await node.deps.revocations.announce()
    await takeNonce(node)
    t.equal((await present()).json().error, 'invalid_grant')
    node.moveTime(20)
    await node.deps.revocations.announce()
    t.equal((await present()).json().error, 'use_dpop_nonce')
  },
)
