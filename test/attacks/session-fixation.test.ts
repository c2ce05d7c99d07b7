import { randomBytes } from 'node:crypto'
import t from 'tap'
import {
  authorizeUrl,
  createPkce,
  createVisitor,
  requestOf,
  takeCode,
} from '../support/code-flow.ts'
import {
  createBrowser,
  passPages,
  registerApp,
  registerPerson,
  startProvider,
} from '../support/relying-party.ts'

// Somebody plants what they know in another one's browser, waits for the sign-in, and then is the
// other one (ASVS 7.2.4); or has a stranger finish what they began.
const provider = await startProvider(t)
const { issuer } = provider
const app = await registerApp(provider)
const pkce = await createPkce()
const request = requestOf(app, pkce)
const planted = () => randomBytes(32).toString('base64url')

t.test('a session id that was planted before the sign-in is not the one after it', async (t) => {
  const person = await registerPerson(provider)
  const agent = createBrowser(provider)
  const fixed = planted()
  agent.cookiesOf(issuer).set('tessera_session', fixed)
  const page = await passPages(agent, await agent.open(authorizeUrl(provider, request)), person)
  t.ok(page.url.searchParams.get('code'))
  t.not(agent.cookiesOf(issuer).get('tessera_session')?.split('.')[0], fixed)

  const attacker = createBrowser(provider)
  attacker.cookiesOf(issuer).set('tessera_session', fixed)
  const silent = authorizeUrl(provider, { ...request, prompt: 'none' })
  const refused = await attacker.open(silent)
  t.equal(refused.url.searchParams.get('error'), 'login_required')
})

t.test('each sign-in makes a new session id, also of who is signed in already', async (t) => {
  const visitor = await createVisitor(provider)
  const first = visitor.agent.cookiesOf(issuer).get('tessera_session')
  const again = authorizeUrl(provider, { ...request, prompt: 'login' })
  const page = await passPages(visitor.agent, await visitor.agent.open(again), visitor.person)
  t.ok(page.url.searchParams.get('code'), page.text)
  const [newest] = (visitor.agent.cookiesOf(issuer).get('tessera_session') ?? '').split('.')
  t.not(newest, first)
})

t.test('a request that one browser began is nothing to another, who is signed in', async (t) => {
  const attacker = createBrowser(provider)
  const waiting = await attacker.open(authorizeUrl(provider, request))
  t.equal(waiting.status, 200)
  const id = waiting.url.searchParams.get('request') ?? ''
  const victim = await createVisitor(provider)
  await takeCode(provider, victim, app, pkce)
  for (const path of ['sign-in', 'accounts', 'consent', 'authorize/resume']) {
    const answer = await victim.agent.ask(new URL(`${issuer}/${path}?request=${id}`))
    t.equal(answer.status, 410, path)
    t.equal(answer.headers.get('location'), null)
  }
})

t.test('a browser cookie that was planted shows nothing of what its planter began', async (t) => {
  const attacker = createBrowser(provider)
  const waiting = await attacker.open(authorizeUrl(provider, { ...request, state: 'planned' }))
  const browser = attacker.cookiesOf(issuer).get('tessera_browser') ?? ''
  const victim = await createVisitor(provider)
  victim.agent.cookiesOf(issuer).set('tessera_browser', browser)
  const id = waiting.url.searchParams.get('request') ?? ''

  // The victim's sign-in never becomes the attacker's: the attacker's browser has no session.
  await victim.agent.open(`${issuer}/authorize/resume?request=${id}`)
  const resumed = await attacker.open(`${issuer}/authorize/resume?request=${id}`)
  t.equal(resumed.url.searchParams.get('code'), null)
})
