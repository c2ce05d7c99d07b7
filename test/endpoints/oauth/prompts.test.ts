import t from 'tap'
import { register, startService } from '../../support/service.ts'
import {
  type App,
  type Asked,
  type Browser,
  createApp,
  createBrowser,
  goodRequest,
  openBrowser,
  redeem,
  sentTo,
  signIn,
  takeCode,
  toQuery,
} from './authorization.ts'

const service = await startService(t)
const { interactions, accounts } = service.deps
const app = await createApp(service)
const asking = await createApp(service, { settings: { consent: 'remember' } })

const ask = async (browser: Browser, asked: Asked = {}, client: App = app) =>
  sentTo(
    await browser.get(`/authorize?${toQuery({ client_id: client.id, ...goodRequest, ...asked })}`),
  )
const resume = async (browser: Browser, id: string) =>
  sentTo(await browser.get(`/authorize/resume?request=${id}`))
const page = (address: string) => ({ status: 303, address })
const answered = { status: 303, parameters: { code: /^tac_/, state: 'the state' } }
const refusal = (error: string) => ({ status: 303, parameters: { error, state: 'the state' } })
const browserSecret = ({ cookies }: Browser): string => cookies.tessera_browser ?? ''

t.test('a request waits for its sign-in, and is then answered once', async (t) => {
  const browser = createBrowser(service.app)
  const waiting = await ask(browser)
  t.match(waiting, page('/sign-in'))
  const { request: id = '' } = waiting.parameters
  t.match(await resume(browser, id), page('/sign-in'))

  await signIn(service, browser)

  t.match(await resume(browser, id), answered)
  t.equal((await resume(browser, id)).status, 410)
})

t.test('a request belongs to the browser that made it', async (t) => {
  const browser = createBrowser(service.app)
  const { request: id = '' } = (await ask(browser)).parameters
  const { browser: stranger, sessionId } = await openBrowser(service)
  await ask(stranger, { prompt: 'login' })

  t.equal((await resume(stranger, id)).status, 410)
  t.equal(await interactions.find(id, browserSecret(stranger)), undefined)
  t.equal(await interactions.deny(id, browserSecret(stranger)), undefined)
  await interactions.choose(id, browserSecret(stranger), sessionId)
  t.match(await interactions.find(id, browserSecret(browser)), { id, sessionId: null })
})

t.test('a request waits for an hour', async (t) => {
  const own = await startService(t)
  const client = await createApp(own)
  const browser = createBrowser(own.app)
  const query = toQuery({ client_id: client.id, ...goodRequest })
  const { request: id = '' } = sentTo(await browser.get(`/authorize?${query}`)).parameters
  own.moveTime(3599)
  t.match(await resume(browser, id), page('/sign-in'))
  own.moveTime(2)
  t.equal((await resume(browser, id)).status, 410)
})

t.test('prompt=login: only a sign-in since then counts', async (t) => {
  const { browser, email, password } = await openBrowser(service)
  const waiting = await ask(browser, { prompt: 'login' })
  t.match(waiting, page('/sign-in'))
  const { request: id = '' } = waiting.parameters
  t.match(await resume(browser, id), page('/sign-in'))
  await signIn(service, browser, { email, password })
  t.match(await resume(browser, id), answered)
})

t.test(
  'max_age: as prompt=login once it is over; the client may have one of its own',
  async (t) => {
    const own = await startService(t)
    const { browser } = await openBrowser(own)
    const client = await createApp(own)
    const strict = await createApp(own, { settings: { defaultMaxAge: 60 } })
    const good = { client_id: client.id, ...goodRequest }
    const open = async (asked: Asked) => sentTo(await browser.get(`/authorize?${toQuery(asked)}`))
    own.moveTime(61)
    t.match(await open({ ...good, max_age: '120' }), answered)
    t.match(await open({ ...good, max_age: '60' }), page('/sign-in'))
    t.match(await open({ ...good, client_id: strict.id }), page('/sign-in'))
    t.match(await open({ ...good, client_id: strict.id, max_age: '120' }), answered)
  },
)

t.test('prompt=none: the exact errors (OpenID Connect Core §3.1.2.6), and no page', async (t) => {
  const nobody = createBrowser(service.app)
  t.match(await ask(nobody, { prompt: 'none' }), refusal('login_required'))
  const { browser } = await openBrowser(service)
  t.match(await ask(browser, { prompt: 'none' }), answered)
  t.match(await ask(browser, { prompt: 'none', max_age: '0' }), refusal('login_required'))
  t.match(await ask(browser, { prompt: 'none' }, asking), refusal('consent_required'))
  await signIn(service, browser)
  t.match(await ask(browser, { prompt: 'none' }), refusal('account_selection_required'))
})

t.test('two people in one browser: one of them is picked', async (t) => {
  const { browser, sessionId } = await openBrowser(service)
  const second = await signIn(service, browser)
  const waiting = await ask(browser)
  t.match(waiting, page('/accounts'))
  const { request: id = '' } = waiting.parameters
  await interactions.choose(id, browserSecret(browser), sessionId)
  t.match(await resume(browser, id), answered)
  t.match(await ask(browser, { login_hint: second.email }), answered)
  t.match(await ask(browser, { prompt: 'select_account' }), page('/accounts'))
})

t.test('consent is asked once; prompt=consent asks again', async (t) => {
  const { browser, userId } = await openBrowser(service)
  const agree = (scope: string[]) =>
    accounts.ownConsents.grant(
      {
        ...{ userId, clientId: asking.id, scope, authorizationDetails: [] },
        audience: [service.config.defaultAudience],
      },
      {},
    )
  const first = await ask(browser, { scope: 'read' }, asking)
  t.match(first, page('/consent'))
  await agree(['read'])
  t.match(await resume(browser, first.parameters.request ?? ''), answered)
  t.match(await ask(browser, { scope: 'read' }, asking), answered)
  t.match(await ask(browser, { scope: 'read write' }, asking), page('/consent'))

  const again = await ask(browser, { scope: 'read', prompt: 'consent' }, asking)
  t.match(again, page('/consent'))
  const { request: id = '' } = again.parameters
  t.match(await resume(browser, id), page('/consent'))
  await agree(['read'])
  t.match(await resume(browser, id), answered)
})

t.test('the user may refuse, once', async (t) => {
  const { browser } = await openBrowser(service)
  const { request: id = '' } = (await ask(browser, {}, asking)).parameters
  const refused = await interactions.deny(id, browserSecret(browser))
  t.same(refused, {
    redirectUri: goodRequest.redirect_uri,
    responseMode: 'query',
    parameters: {
      error: 'access_denied',
      error_description: 'The user does not want it',
      state: 'the state',
      iss: 'http://localhost:4000',
    },
  })
  t.equal(await interactions.deny(id, browserSecret(browser)), undefined)
  t.equal((await resume(browser, id)).status, 410)
})

t.test('id_token_hint: nobody else answers', async (t) => {
  const { browser, userId } = await openBrowser(service)
  const tokens = await redeemForIdToken(browser)
  t.match(await ask(browser, { id_token_hint: tokens.id_token, prompt: 'none' }), answered)
  const { browser: other } = await openBrowser(service)
  t.match(
    await ask(other, { id_token_hint: tokens.id_token, prompt: 'none' }),
    refusal('login_required'),
  )
  const waiting = await ask(other, { id_token_hint: tokens.id_token })
  t.match(waiting, page('/sign-in'))
  await signIn(service, other, await register(service.app))
  t.match(await resume(other, waiting.parameters.request ?? ''), refusal('login_required'))
  t.match(
    await ask(browser, { id_token_hint: tokens.id_token }, asking),
    refusal('invalid_request'),
    'one that another client was given',
  )
  t.ok(userId)
})

const redeemForIdToken = async (browser: Browser): Promise<{ id_token: string }> => {
  const code = await takeCode(browser, app, { scope: 'openid' })
  const answer = await redeem(service.app, app, code)
  return answer.json()
}

t.test('a session that ends while a request waits does not answer it', async (t) => {
  const { browser, userId, sessionId } = await openBrowser(service)
  const { request: id = '' } = (await ask(browser, {}, asking)).parameters
  await accounts.ownSessions.end(userId, sessionId, {})
  t.match(await resume(browser, id), page('/sign-in'))
})
