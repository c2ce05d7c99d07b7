import { createLocalJWKSet, jwtVerify } from 'jose'
import t from 'tap'
import { signingAlgorithms } from '../../../src/oauth/algorithm.ts'
import { startService } from '../../support/service.ts'
import {
  type App,
  type Asked,
  createApp,
  goodRequest,
  openBrowser,
  redeem,
  redirectUri,
  sentTo,
  toQuery,
} from './authorization.ts'

const service = await startService(t)
const { browser } = await openBrowser(service)
const app = await createApp(service)
const issuer = 'http://localhost:4000'

const open = (asked: Asked = {}, { id }: Pick<App, 'id'> = app) =>
  browser.get(`/authorize?${toQuery({ client_id: id, ...goodRequest, ...asked })}`)

/** What a form of the page would send. */
const fieldsOf = (html: string): Record<string, string> =>
  Object.fromEntries(
    [...html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(
      ([, name = '', value = '']) => [name, value],
    ),
  )

const verify = async (response: string, audience: string) => {
  const keys = createLocalJWKSet((await service.app.inject('/.well-known/jwks.json')).json())
  return jwtVerify(response, keys, { issuer, audience, currentDate: service.deps.clock() })
}

t.test('query: what the redirect URI has already stays before the answer', async (t) => {
  const withQuery = await createApp(service, { redirectUris: ['https://app.example/?a=b&c'] })
  const answer = await open({ redirect_uri: 'https://app.example/?a=b&c' }, withQuery)
  t.match(answer.headers.location, /^https:\/\/app\.example\/\?a=b&c&code=tac_[\w-]{43}&state=/)
})

t.test('a private scheme and any port of the loopback address are redirect URIs', async (t) => {
  const native = await createApp(service, {
    authenticationMethod: 'none',
    redirectUris: ['com.example.app:/callback', 'http://127.0.0.1/callback'],
  })
  for (const uri of ['com.example.app:/callback', 'http://127.0.0.1:51234/callback']) {
    const { address, parameters } = sentTo(await open({ redirect_uri: uri }, native))
    t.equal(address, uri)
    const answer = await redeem(service.app, native, parameters.code ?? '', { redirect_uri: uri })
    t.equal(answer.statusCode, 200, answer.body)
  }
})

t.test('without redirect_uri the one that is registered is taken', async (t) => {
  const { address } = sentTo(await open({ redirect_uri: undefined }))
  t.equal(address, redirectUri)
})

t.test('form_post: a page posts the answer, by itself or by its button', async (t) => {
  const answer = await open({ response_mode: 'form_post' })

  t.equal(answer.statusCode, 200)
  t.equal(answer.headers['content-type'], 'text/html; charset=utf-8')
  t.equal(answer.headers['cache-control'], 'no-store')
  const { code = '', ...rest } = fieldsOf(answer.body)
  t.same(rest, { state: 'the state', iss: issuer })
  t.match(answer.body, `action="${redirectUri}"`)
  t.match(answer.body, /<button type="submit"/)
  const policy = String(answer.headers['content-security-policy'])
  t.match(policy, 'form-action https://app.example;')
  t.match(policy, /script-src 'nonce-[\w-]+'/)
  t.equal((await redeem(service.app, app, code)).statusCode, 200)
})

t.test('form_post: what a client sent is text, whatever it holds', async (t) => {
  const answer = await open({ response_mode: 'form_post', state: '"><script>alert(1)</script>' })
  t.notMatch(answer.body, '<script>alert')
})

t.test('form_post: an error is posted too', async (t) => {
  const answer = await open({ response_mode: 'form_post', scope: 'unknown' })
  t.same(fieldsOf(answer.body), {
    error: 'invalid_scope',
    error_description: 'The scope is beyond what the client may be granted',
    state: 'the state',
    iss: issuer,
  })
})

for (const mode of ['jwt', 'query.jwt']) {
  t.test(`${mode}: the answer is one JWT for the client (JARM §2.1)`, async (t) => {
    const { parameters } = sentTo(await open({ response_mode: mode }))
    const { response = '', ...rest } = parameters
    t.same(rest, {})
    const { payload } = await verify(response, app.id)
    const { code, iat = 0, exp = 0, ...claims } = payload
    t.same(claims, { iss: issuer, aud: app.id, state: 'the state' })
    t.ok(exp > iat && exp <= iat + 600)
    t.equal((await redeem(service.app, app, String(code))).statusCode, 200)
  })
}

t.test('form_post.jwt: the JWT is posted', async (t) => {
  const answer = await open({ response_mode: 'form_post.jwt' })
  const { response = '', ...rest } = fieldsOf(answer.body)
  t.same(rest, {})
  t.match((await verify(response, app.id)).payload, { code: /^tac_/ })
})

t.test('jwt: an error is signed too', async (t) => {
  const { parameters } = sentTo(await open({ response_mode: 'jwt', prompt: 'none login' }))
  const { payload } = await verify(parameters.response ?? '', app.id)
  t.match(payload, { error: 'invalid_request', iss: issuer, aud: app.id, state: 'the state' })
})

for (const algorithm of signingAlgorithms) {
  t.test(`jwt: signed by ${algorithm}, where the client wants that`, async (t) => {
    const client = await createApp(service, {
      settings: { authorizationSignedResponseAlg: algorithm },
    })
    const { parameters } = sentTo(await open({ response_mode: 'jwt' }, client))
    const { protectedHeader } = await verify(parameters.response ?? '', client.id)
    t.equal(protectedHeader.alg, algorithm)
  })
}

t.test('a client that knows JARM only gets its answers so, without asking', async (t) => {
  const client = await createApp(service, { settings: { responseModes: ['query.jwt'] } })
  for (const asked of [{}, { scope: 'unknown' }, { response_mode: 'query' }]) {
    t.same(Object.keys(sentTo(await open(asked, client)).parameters), ['response'])
  }
})
