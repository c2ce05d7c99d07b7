import { createHash } from 'node:crypto'
import { decodeJwt } from 'jose'
import t from 'tap'
import { oauthError, outcomeOf, postForm } from '../endpoints/oauth/requests.ts'
import { createCertificate, type TestCertificate } from '../support/client-certificates.ts'
import { createRelyingParty, type RelyingParty, seedCode, seedSession } from '../support/openid.ts'
import { connect, register, startService } from '../support/service.ts'

// Tokens that are bound to the certificate of the client (RFC 8705 §3), as a trusted proxy tells it.
const environment = {
  CLIENT_CERTIFICATE_HEADER: 'Client-Cert',
  TRUSTED_PROXIES: '127.0.0.1',
  MTLS_ORIGIN: 'https://mtls.example',
}
const service = await startService(t, environment)
const { app, config } = service
const db = await connect(t, service)
const person = await register(app)
const sessionId = await seedSession(db, person.user.id)
const scope = ['openid', 'account', 'offline_access']
const [own, foreign] = [createCertificate('own'), createCertificate('foreign')]
const settings = { tlsClientCertificateBoundAccessTokens: true }

const thumbprintOf = ({ x509 }: TestCertificate): string =>
  createHash('sha256').update(x509.raw).digest('base64url')

const shown = (certificate: TestCertificate | undefined): Record<string, string> =>
  certificate === undefined ? {} : { 'client-cert': certificate.header }

const ask = (
  party: RelyingParty,
  form: Record<string, string>,
  certificate: TestCertificate | undefined,
) =>
  party.client.authenticationMethod === 'none'
    ? postForm(app, '/token', { ...form, client_id: party.id }, shown(certificate))
    : postForm(app, '/token', form, { ...party.headers, ...shown(certificate) })

const signIn = async (party: RelyingParty, certificate = own) => {
  const code = await seedCode(db, party, { userId: person.user.id, sessionId, scope })
  const form = { grant_type: 'authorization_code', redirect_uri: 'https://app.example/cb', code }
  const answer = await ask(party, form, certificate)
  if (answer.statusCode !== 200) throw new Error(answer.body)
  return answer.json<{ access_token: string; refresh_token: string; token_type: string }>()
}

const refresh = (party: RelyingParty, token: string, certificate: TestCertificate | undefined) =>
  ask(party, { grant_type: 'refresh_token', refresh_token: token }, certificate)

const present = (token: string, headers: Record<string, string>, url = '/auth/me') =>
  app.inject({ url, headers: { authorization: `Bearer ${token}`, ...headers } })

t.test('a public client: tokens and family are bound to its certificate', async (t) => {
  const party = await createRelyingParty(service, settings, { authenticationMethod: 'none', scope })
  const first = await signIn(party)
  t.equal(first.token_type, 'Bearer')
  t.strictSame(decodeJwt(first.access_token).cnf, { 'x5t#S256': thumbprintOf(own) })

  const refused = await refresh(party, first.refresh_token, foreign)
  t.match(refused.json(), { error: 'invalid_grant', code: 'unknown' })
  const second = await refresh(party, first.refresh_token, own)
  t.equal(second.statusCode, 200)
  t.strictSame(decodeJwt(second.json().access_token).cnf, { 'x5t#S256': thumbprintOf(own) })
})

t.test('a confidential client may come with its next certificate', async (t) => {
  const party = await createRelyingParty(service, settings, { scope })
  const first = await signIn(party)
  const second = await refresh(party, first.refresh_token, foreign)
  t.strictSame(decodeJwt(second.json().access_token).cnf, { 'x5t#S256': thumbprintOf(foreign) })
  t.strictSame(
    outcomeOf(await refresh(party, second.json().refresh_token, undefined)),
    oauthError(400, 'invalid_request', 'The client has to connect with its certificate'),
  )
})

t.test('our endpoints accept the token with its certificate only', async (t) => {
  const party = await createRelyingParty(service, settings, { scope })
  const { access_token: token } = await signIn(party)
  for (const url of ['/auth/me', '/auth/sessions', '/userinfo']) {
    for (const value of [own.header, own.escapedPem]) {
      t.equal((await present(token, { 'client-cert': value }, url)).statusCode, 200)
    }
    for (const headers of [{}, shown(foreign), { 'client-cert': 'garbage' }]) {
      const answer = await present(token, headers, url)
      t.equal(answer.statusCode, 401)
      t.equal(
        answer.headers['www-authenticate'],
        `Bearer realm="${config.issuer}", error="invalid_token"`,
      )
    }
    const dpop = await app.inject({
      url,
      headers: { authorization: `DPoP ${token}`, ...shown(own) },
    })
    t.equal(dpop.statusCode, 401)
  }
})

t.test('a certificate that no trusted proxy tells of is none', async (t) => {
  const party = await createRelyingParty(service, settings, { scope })
  const { access_token: token } = await signIn(party)
  const answer = await app.inject({
    url: '/auth/me',
    remoteAddress: '192.0.2.1',
    headers: { authorization: `Bearer ${token}`, ...shown(own) },
  })
  t.equal(answer.statusCode, 401)
})

t.test('introspection tells of the certificate', async (t) => {
  const party = await createRelyingParty(service, settings, { scope })
  const { access_token: token } = await signIn(party)
  const answer = await postForm(app, '/introspect', { token }, party.headers)
  t.match(answer.json(), {
    active: true,
    token_type: 'Bearer',
    cnf: { 'x5t#S256': thumbprintOf(own) },
  })
})

t.test('a client that is not registered for it gets no bound tokens', async (t) => {
  const party = await createRelyingParty(service, {}, { scope })
  const { access_token: token } = await signIn(party)
  t.notOk('cnf' in decodeJwt(token))
})

t.test('the metadata tell of it, and of the addresses for certificates', async (t) => {
  const metadata = (await app.inject('/.well-known/oauth-authorization-server')).json()
  t.equal(metadata.tls_client_certificate_bound_access_tokens, true)
  t.match(metadata.mtls_endpoint_aliases, {
    token_endpoint: 'https://mtls.example/token',
    pushed_authorization_request_endpoint: 'https://mtls.example/par',
    userinfo_endpoint: 'https://mtls.example/userinfo',
    introspection_endpoint: 'https://mtls.example/introspect',
    revocation_endpoint: 'https://mtls.example/revoke',
  })
  const plain = await startService(t)
  const without = (await plain.app.inject('/.well-known/oauth-authorization-server')).json()
  t.notOk('tls_client_certificate_bound_access_tokens' in without)
  t.notOk('mtls_endpoint_aliases' in without)
})
