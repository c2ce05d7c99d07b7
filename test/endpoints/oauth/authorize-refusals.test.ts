import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { startService } from '../../support/service.ts'
import {
  type Asked,
  createApp,
  createBrowser,
  goodRequest,
  openBrowser,
  redirectUri,
  sentTo,
  toQuery,
} from './authorization.ts'

const service = await startService(t)
const { browser } = await openBrowser(service)
const audience = ['https://api.example']
const app = await createApp(service, { audience })
const twoPlaces = await createApp(service, {
  redirectUris: [redirectUri, 'https://app.example/other'],
})
const machine = await createApp(service, { grantTypes: ['client_credentials'] })
const narrow = await createApp(service, { settings: { responseModes: ['query'] } })
const lax = await createApp(service, { settings: { requirePkce: false } })
const pushing = await createApp(service, {
  settings: { requirePushedAuthorizationRequests: true },
})
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), alg: 'ES256', kid: 'key' }] }
const signing = await createApp(service, { settings: { requireSignedRequestObject: true, jwks } })
const disabled = await createApp(service)
await service.deps.clientAdministration.disable(disabled.id, { actor: 'cli', origin: {} })

const good = { client_id: app.id, ...goodRequest }
const open = (asked: Asked) => browser.get(`/authorize?${toQuery(asked)}`)
const post = (asked: Asked) => browser.post('/authorize', toQuery(asked))

t.test('the request that is spoiled below is good', async (t) => {
  for (const answer of [await open(good), await post(good)]) {
    t.match(sentTo(answer), { status: 303, address: redirectUri, parameters: { code: /^tac_/ } })
  }
})

/** What is told to the client by a redirect. */
type Refused = readonly [asked: Asked, error: string, description: string]

const bad = 'invalid_request'
const refused: Record<string, Refused> = {
  'no response_type': [{ response_type: undefined }, bad, 'response_type is required'],
  'an empty response_type': [{ response_type: '' }, bad, 'response_type is required'],
  'the implicit flow': [
    { response_type: 'token' },
    'unsupported_response_type',
    'The response_type must be code',
  ],
  'the hybrid flow': [
    { response_type: 'code id_token' },
    'unsupported_response_type',
    'The response_type must be code',
  ],
  'a client without the code flow': [
    { client_id: machine.id },
    'unauthorized_client',
    'The client may not use the code flow',
  ],
  'an unknown response_mode': [
    { response_mode: 'fragment' },
    bad,
    'The client may not use this response_mode',
  ],
  'a response_mode that the client may not use': [
    { client_id: narrow.id, response_mode: 'form_post' },
    bad,
    'The client may not use this response_mode',
  ],
  'no code_challenge': [
    { code_challenge: undefined, code_challenge_method: undefined },
    bad,
    'code_challenge is required',
  ],
  'a code_challenge_method alone': [
    { code_challenge: undefined },
    bad,
    'code_challenge is required',
  ],
  'a code_challenge_method alone, from a client that need not': [
    { client_id: lax.id, code_challenge: undefined },
    bad,
    'code_challenge is required',
  ],
  'no code_challenge_method, which would be plain (RFC 7636 §4.3)': [
    { code_challenge_method: undefined },
    bad,
    'code_challenge_method must be S256',
  ],
  'the method plain': [
    { code_challenge_method: 'plain' },
    bad,
    'code_challenge_method must be S256',
  ],
  'a short code_challenge': [
    { code_challenge: 'a'.repeat(42) },
    bad,
    'code_challenge must be a SHA-256 in base64url',
  ],
  'a code_challenge with a wrong character': [
    { code_challenge: `${'a'.repeat(42)}=` },
    bad,
    'code_challenge must be a SHA-256 in base64url',
  ],
  'a scope beyond the client’s': [
    { scope: 'read admin' },
    'invalid_scope',
    'The scope is beyond what the client may be granted',
  ],
  'a malformed scope': [{ scope: 'a"b' }, 'invalid_scope', 'The scope is malformed'],
  'a foreign resource': [
    { resource: 'https://other.example' },
    'invalid_target',
    'The client may not ask for this resource',
  ],
  'one foreign resource of two': [
    { resource: ['https://api.example', 'https://other.example'] },
    'invalid_target',
    'The client may not ask for this resource',
  ],
  'authorization_details that are no list': [
    { authorization_details: '{}' },
    'invalid_authorization_details',
    'authorization_details: It must be a JSON array of 1 to 20 objects',
  ],
  'authorization_details of an unknown type': [
    { authorization_details: '[{"type":"payment"}]' },
    'invalid_authorization_details',
    'authorization_details: The type is not known',
  ],
  'an unknown prompt': [{ prompt: 'create' }, bad, 'prompt has an unknown value'],
  'prompt=none beside others': [
    { prompt: 'none login' },
    bad,
    'prompt must not hold none beside others',
  ],
  'a max_age that is no number': [{ max_age: 'x' }, bad, 'max_age must be a number of seconds'],
  'a negative max_age': [{ max_age: '-1' }, bad, 'max_age must be a number of seconds'],
  'an endless max_age': [{ max_age: '9'.repeat(20) }, bad, 'max_age must be a number of seconds'],
  'claims that are no JSON': [
    { claims: '{' },
    bad,
    'claims is not valid (OpenID Connect Core 5.5)',
  ],
  'claims that are a list': [
    { claims: '[]' },
    bad,
    'claims is not valid (OpenID Connect Core 5.5)',
  ],
  'claims with a part that is no object': [
    { claims: '{"id_token":"acr"}' },
    bad,
    'claims is not valid (OpenID Connect Core 5.5)',
  ],
  'claims with an essential that is no truth value': [
    { claims: '{"id_token":{"acr":{"essential":"yes"}}}' },
    bad,
    'claims is not valid (OpenID Connect Core 5.5)',
  ],
  'claims with what no database can hold': [
    { claims: '{"id_token":{"acr":{"value":"\\u0000"}}}' },
    bad,
    'claims is not valid (OpenID Connect Core 5.5)',
  ],
  'an id_token_hint that we did not sign': [
    { id_token_hint: 'x.y.z' },
    bad,
    'The id_token_hint is not valid',
  ],
  'a dpop_jkt that is no thumbprint': [
    { dpop_jkt: 'x' },
    bad,
    'dpop_jkt must be a SHA-256 in base64url',
  ],
  'a repeated parameter': [{ scope: ['read', 'write'] }, bad, 'A parameter must not be repeated'],
  'a repeated unknown parameter': [{ x: ['1', '2'] }, bad, 'A parameter must not be repeated'],
  'a request that must be pushed': [
    { client_id: pushing.id },
    bad,
    'The request must be pushed (RFC 9126)',
  ],
  'a request that must be signed': [
    { client_id: signing.id },
    bad,
    'The client must send a signed request object',
  ],
}

for (const [name, [asked, error, error_description]] of Object.entries(refused)) {
  t.test(`${name}: ${error}, told to the client`, async (t) => {
    const expected = {
      status: 303,
      address: redirectUri,
      parameters: { error, error_description, state: 'the state', iss: 'http://localhost:4000' },
    }
    t.same(sentTo(await open({ ...good, ...asked })), expected)
    t.same(sentTo(await post({ ...good, ...asked })), expected)
  })
}

/** What is told to nobody but the person in front of the browser. */
const shown: Record<string, readonly [asked: Asked, error: string]> = {
  'no client_id': [{ client_id: undefined }, bad],
  'a repeated client_id': [{ client_id: [app.id, app.id] }, bad],
  'an unknown client': [{ client_id: 'app_unknown' }, bad],
  'a client_id that no database can hold': [{ client_id: 'a\0b' }, 'malformed_body'],
  'a disabled client': [{ client_id: disabled.id }, bad],
  'a foreign redirect_uri': [{ redirect_uri: 'https://evil.example/callback' }, bad],
  'a repeated redirect_uri': [{ redirect_uri: [redirectUri, redirectUri] }, bad],
  'no redirect_uri where there are two': [
    { client_id: twoPlaces.id, redirect_uri: undefined },
    bad,
  ],
  'a foreign request_uri': [
    { request_uri: 'https://app.example/request.jwt' },
    'request_uri_not_supported',
  ],
  'an unknown pushed request': [
    { request_uri: 'urn:ietf:params:oauth:request_uri:x' },
    'invalid_request_uri',
  ],
}

for (const [name, [asked, error]] of Object.entries(shown)) {
  t.test(`${name}: a page, never a redirect (RFC 6749 §4.1.2.1)`, async (t) => {
    for (const answer of [await open({ ...good, ...asked }), await post({ ...good, ...asked })]) {
      t.equal(answer.statusCode, 400)
      t.equal(answer.headers.location, undefined)
      t.match(answer.body, `data-error="${error}"`)
      t.equal(answer.headers['cache-control'], 'no-store')
      t.match(String(answer.headers['content-security-policy']), /frame-ancestors 'none'/)
    }
  })
}

t.test('a state that is repeated comes back with no answer', async (t) => {
  const { parameters } = sentTo(await open({ ...good, state: ['a', 'b'] }))
  t.same(parameters, {
    error: bad,
    error_description: 'A parameter must not be repeated',
    iss: 'http://localhost:4000',
  })
})

t.test('an unknown parameter counts for nothing, and neither does an empty one', async (t) => {
  const { parameters } = sentTo(await open({ ...good, x: 'y', prompt: '', nonce: '' }))
  t.match(parameters, { code: /^tac_/ })
})

t.test('the parameters of a POST are those of its form alone', async (t) => {
  const answer = await browser.post(`/authorize?${toQuery(good)}`, '')
  t.equal(answer.statusCode, 400)
})

t.test('a form of another media type is 415, another method 405', async (t) => {
  const json = await service.app.inject({ method: 'POST', url: '/authorize', payload: {} })
  t.equal(json.statusCode, 415)
  for (const method of ['PUT', 'HEAD'] as const) {
    const answer = await service.app.inject({ method, url: `/authorize?${toQuery(good)}` })
    t.same([answer.statusCode, answer.headers.allow], [405, 'GET, POST'])
  }
})

t.test('no other origin may read an answer (RFC 9700 §2.6)', async (t) => {
  const web = await createApp(service, { corsOrigins: ['https://spa.example'] })
  const query = toQuery({ ...good, client_id: web.id })
  const answer = await service.app.inject({
    url: `/authorize?${query}`,
    headers: { origin: 'https://spa.example' },
  })
  t.equal(answer.headers['access-control-allow-origin'], undefined)
})

t.test('resume: what does not wait in this browser is gone', async (t) => {
  const stranger = createBrowser(service.app)
  const asked = await stranger.get(`/authorize?${toQuery(good)}`)
  const waiting = sentTo(asked).parameters.request ?? ''
  for (const id of ['', 'x', '\0', crypto.randomUUID(), waiting]) {
    const answer = await browser.get(`/authorize/resume?${toQuery({ request: id })}`)
    t.equal(answer.statusCode, id === '\0' ? 400 : 410, JSON.stringify(id))
    t.equal(answer.headers.location, undefined)
  }
})
