import t from 'tap'
import { startService } from '../../support/service.ts'
import {
  type App,
  type Asked,
  createApp,
  createBrowser,
  goodRequest,
  openBrowser,
  redeem,
  redirectUri,
  sentTo,
  toQuery,
} from './authorization.ts'
import { oauthError, outcomeOf, postForm, unauthenticated } from './requests.ts'

const service = await startService(t)
const { browser } = await openBrowser(service)
const app = await createApp(service)

const push = (asked: Asked = {}, client: App = app, node = service.app) =>
  postForm(
    node,
    '/par',
    toQuery({ ...goodRequest, ...client.credentials, ...asked }),
    client.headers,
  )
const pushGood = async (client: App = app, node = service.app): Promise<string> =>
  (await push({}, client, node)).json<{ request_uri: string }>().request_uri
const bring = (requestUri: string, { id }: App = app, rest: Asked = {}) =>
  toQuery({ client_id: id, request_uri: requestUri, ...rest })

t.test('a pushed request is brought by its reference, once', async (t) => {
  const pushed = await push()
  t.equal(pushed.statusCode, 201)
  t.equal(pushed.headers['cache-control'], 'no-store')
  const { request_uri: requestUri, expires_in } = pushed.json()
  t.match(requestUri, /^urn:ietf:params:oauth:request_uri:[\w-]{43}$/)
  t.equal(expires_in, 90)

  const answer = sentTo(await browser.get(`/authorize?${bring(requestUri)}`))
  const { code = '', ...rest } = answer.parameters
  t.same(rest, { state: 'the state', iss: 'http://localhost:4000' })
  t.equal((await redeem(service.app, app, code)).statusCode, 200)
  const again = await browser.get(`/authorize?${bring(requestUri)}`)
  t.equal(again.statusCode, 400)
  t.match(again.body, 'data-error="invalid_request_uri"')
})

t.test('what stands beside the reference counts for nothing (RFC 9126 §4)', async (t) => {
  const beside = { state: 'planted', redirect_uri: 'https://evil.example', response_mode: 'jwt' }
  const query = bring(await pushGood(), app, beside)
  const { address, parameters } = sentTo(await browser.get(`/authorize?${query}`))
  t.equal(address, redirectUri)
  t.match(parameters, { code: /^tac_/, state: 'the state' })
})

t.test('a reference is good for its client only', async (t) => {
  const other = await createApp(service)
  const requestUri = await pushGood()
  t.equal((await browser.get(`/authorize?${bring(requestUri, other)}`)).statusCode, 400)
  t.equal((await browser.get(`/authorize?${bring(requestUri)}`)).statusCode, 303)
})

t.test('a reference expires', async (t) => {
  const own = await startService(t)
  const client = await createApp(own)
  const signedIn = await openBrowser(own)
  const [first, second] = [await pushGood(client, own.app), await pushGood(client, own.app)]
  own.moveTime(89)
  const open = (uri: string) => signedIn.browser.get(`/authorize?${bring(uri, client)}`)
  t.equal((await open(first)).statusCode, 303)
  own.moveTime(2)
  t.equal((await open(second)).statusCode, 400)
})

t.test(
  'the first browser that brings it keeps it; it may come again until it is answered',
  async (t) => {
    const requestUri = await pushGood()
    const first = createBrowser(service.app)
    const waiting = sentTo(await first.get(`/authorize?${bring(requestUri)}`))
    t.match(waiting, { status: 303, address: '/sign-in' })
    t.equal((await browser.get(`/authorize?${bring(requestUri)}`)).statusCode, 400)
    t.same(sentTo(await first.get(`/authorize?${bring(requestUri)}`)), waiting)
  },
)

t.test('a public client pushes too', async (t) => {
  const client = await createApp(service, { authenticationMethod: 'none' })
  const answer = sentTo(await browser.get(`/authorize?${bring(await pushGood(client), client)}`))
  t.match(answer.parameters, { code: /^tac_/ })
})

const bad = (description: string) => oauthError(400, 'invalid_request', description)
const refused: Record<string, readonly [Asked, ReturnType<typeof oauthError>]> = {
  'a request_uri': [
    { request_uri: 'urn:ietf:params:oauth:request_uri:x' },
    bad('request_uri must not be pushed (RFC 9126)'),
  ],
  'a foreign redirect_uri': [
    { redirect_uri: 'https://evil.example' },
    bad('The redirect_uri is not registered for the client'),
  ],
  'no response_type': [{ response_type: undefined }, bad('response_type is required')],
  'no challenge': [{ code_challenge: undefined }, bad('code_challenge is required')],
  'the method plain': [
    { code_challenge_method: 'plain' },
    bad('code_challenge_method must be S256'),
  ],
  'a wide scope': [
    { scope: 'admin' },
    oauthError(400, 'invalid_scope', 'The scope is beyond what the client may be granted'),
  ],
  'a foreign resource': [
    { resource: 'https://other.example' },
    oauthError(400, 'invalid_target', 'The client may not ask for this resource'),
  ],
  'a repeated parameter': [{ scope: ['read', 'write'] }, bad('scope must not be repeated')],
  'a malformed request object': [
    { request: 'x' },
    oauthError(
      400,
      'invalid_request_object',
      'The request object is refused: It is not one signed JWT',
    ),
  ],
}

for (const [name, [asked, expected]] of Object.entries(refused)) {
  t.test(`pushed with ${name}: ${expected.body.error}`, async (t) => {
    t.same(outcomeOf(await push(asked)), expected)
  })
}

t.test('who is not authenticated pushes nothing', async (t) => {
  const answer = await postForm(service.app, '/par', toQuery(goodRequest))
  t.same(outcomeOf(answer), unauthenticated())
})

t.test('POST only (RFC 9126 §2)', async (t) => {
  for (const method of ['GET', 'PUT', 'DELETE'] as const) {
    const answer = await service.app.inject({ method, url: '/par' })
    t.same([answer.statusCode, answer.headers.allow], [405, 'POST'])
  }
})

t.test('a body that is too large is 413, one of another type 415', async (t) => {
  const large = await push({ state: 'x'.repeat(service.config.bodyLimitBytes) })
  t.equal(large.statusCode, 413)
  const json = await service.app.inject({ method: 'POST', url: '/par', payload: {} })
  t.equal(json.statusCode, 415)
})

t.test('where requests must be pushed, no other is taken', async (t) => {
  const strict = await startService(t, { REQUIRE_PUSHED_AUTHORIZATION_REQUESTS: 'true' })
  const client = await createApp(strict)
  const signedIn = await openBrowser(strict)
  const open = async (query: string) => sentTo(await signedIn.browser.get(`/authorize?${query}`))
  t.match(await open(toQuery({ client_id: client.id, ...goodRequest })), {
    address: redirectUri,
    parameters: { error: 'invalid_request' },
  })
  t.match(await open(bring(await pushGood(client, strict.app), client)), {
    parameters: { code: /^tac_/ },
  })
  const metadata = await strict.app.inject('/.well-known/oauth-authorization-server')
  t.match(metadata.json(), { require_pushed_authorization_requests: true })
})
