import t from 'tap'
import { startService } from '../../support/service.ts'
import { assertionClaims, createSigner } from '../../support/signer.ts'
import { createApp, goodRequest, openBrowser, redeem, sentTo, toQuery } from './authorization.ts'
import { oauthError, outcomeOf, postForm } from './requests.ts'

const issuer = 'http://localhost:4000'
const service = await startService(t)
const { app } = service
const signer = await createSigner()
const rsa = await createSigner('RS256')
const stranger = await createSigner()
const jwks = { keys: [signer.jwk, rsa.jwk] }
const client = await createApp(service, { settings: { jwks, consent: 'skip' } })
const other = await createApp(service, { settings: { jwks: { keys: [stranger.jwk] } } })

const now = () => Math.floor(Date.now() / 1000)
const asked = (special: object = {}) => ({
  ...{ iss: client.id, aud: issuer, iat: now(), nbf: now(), exp: now() + 60 },
  ...{ jti: crypto.randomUUID(), client_id: client.id, ...goodRequest },
  ...special,
})
const push = (request: string, form: object = {}) =>
  postForm(app, '/par', { request, ...form }, client.headers)

t.test('a signed request is followed as if its members had been sent', async (t) => {
  const { browser } = await openBrowser(service)
  const members = { scope: 'openid read', nonce: 'n', max_age: 600, state: 'signed' }
  const request = await signer.sign(asked(members), { typ: 'oauth-authz-req+jwt' })
  const answer = sentTo(
    await browser.get(`/authorize?${toQuery({ client_id: client.id, request })}`),
  )
  t.equal(answer.address, goodRequest.redirect_uri)
  t.equal(answer.parameters.state, 'signed')
  const tokens = await redeem(app, client, answer.parameters.code ?? '')
  t.match(tokens.json(), { scope: 'openid read' })
})

t.test('what stands beside a signed request does not count', async (t) => {
  const { browser } = await openBrowser(service)
  const request = await signer.sign(asked({ scope: 'read', state: 'signed' }))
  const beside = { scope: 'write', state: 'beside', nonce: 'beside' }
  const query = toQuery({ client_id: client.id, request, ...beside })
  const { parameters } = sentTo(await browser.get(`/authorize?${query}`))
  t.equal(parameters.state, 'signed')
  const tokens = await redeem(app, client, parameters.code ?? '')
  t.equal(tokens.json<{ scope: string }>().scope, 'read')
})

t.test('a signed request can be pushed', async (t) => {
  const { browser } = await openBrowser(service)
  const pushed = await push(await rsa.sign(asked({ state: 'pushed' })))
  t.equal(pushed.statusCode, 201, pushed.body)
  const { request_uri } = pushed.json<{ request_uri: string }>()
  const query = toQuery({ client_id: client.id, request_uri })
  t.equal(sentTo(await browser.get(`/authorize?${query}`)).parameters.state, 'pushed')
})

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const sign = (special: object, header = {}) => signer.sign(asked(special), header)

/** Each is right in everything but one thing. */
const refused: Record<string, [make: () => Promise<string> | string, reason: string]> = {
  'no JWT': [() => 'x', 'It is not one signed JWT'],
  'no signature': [
    () => `${encode({ alg: 'none' })}.${encode(asked())}.`,
    'It is not one signed JWT',
  ],
  'a signature that is none': [
    () => `${encode({ alg: 'none' })}.${encode(asked())}.AA`,
    'Its algorithm is not that of the client',
  ],
  'a MAC': [
    () => `${encode({ alg: 'HS256' })}.${encode(asked())}.AA`,
    'Its algorithm is not that of the client',
  ],
  'a key of another client': [
    () => stranger.sign(asked(), { kid: signer.keyId }),
    'None of the keys of the client has signed it',
  ],
  'a key in its header': [
    () => stranger.sign(asked(), { jwk: stranger.jwk }),
    'None of the keys of the client has signed it',
  ],
  'an assertion of the client': [
    () => signer.sign({ ...asked(), ...assertionClaims(client.id, issuer) }),
    'Its subject must not be the client',
  ],
  'the type of an access token': [
    () => sign({}, { typ: 'at+jwt' }),
    'Its type is that of something else',
  ],
  'another issuer': [() => sign({ iss: other.id }), 'Its issuer is not the client'],
  'no issuer': [() => sign({ iss: undefined }), 'Its issuer is not the client'],
  'another audience': [() => sign({ aud: 'https://other.example' }), 'It is for somebody else'],
  'no audience': [() => sign({ aud: undefined }), 'It is for somebody else'],
  'no expiry': [() => sign({ exp: undefined }), 'It does not say when it expires'],
  'one that is over': [() => sign({ exp: now() - 1 }), 'It has expired'],
  'one for too long': [() => sign({ exp: now() + 4000 }), 'It expires too late'],
  'one that is not good yet': [() => sign({ nbf: now() + 60 }), 'It is not good yet'],
  'one from the future': [() => sign({ iat: now() + 60 }), 'It is not good yet'],
  'a time that is none': [() => sign({ nbf: 'soon' }), 'It is not good yet'],
}

for (const [what, [make, reason]] of Object.entries(refused)) {
  t.test(`a request object is refused: ${what}`, async (t) => {
    const description = `The request object is refused: ${reason}`
    const answer = outcomeOf(await push(await make()))
    t.strictSame(answer, oauthError(400, 'invalid_request_object', description))
  })
}

t.test('a request object names no other one, and no other client', async (t) => {
  const nested: [special: object, description: string][] = [
    [{ request: 'x' }, 'A request object must not name another one'],
    [{ request_uri: 'urn:x' }, 'A request object must not name another one'],
    [{ client_id: other.id }, 'The request object is of another client'],
    [{ client_id: undefined }, 'The request object is of another client'],
  ]
  for (const [special, description] of nested) {
    const answer = outcomeOf(await push(await sign(special)))
    t.strictSame(answer, oauthError(400, 'invalid_request_object', description))
  }
})

t.test('a client may be held to one algorithm', async (t) => {
  const settings = { jwks, requestObjectSigningAlg: 'RS256' as const, consent: 'skip' as const }
  const strict = await createApp(service, { settings })
  const request = asked({ iss: strict.id, client_id: strict.id })
  const post = (jwt: string) => postForm(app, '/par', { request: jwt }, strict.headers)
  t.equal((await post(await rsa.sign(request))).statusCode, 201)
  const reason = 'The request object is refused: Its algorithm is not that of the client'
  t.strictSame(
    outcomeOf(await post(await signer.sign(request))),
    oauthError(400, 'invalid_request_object', reason),
  )
})
