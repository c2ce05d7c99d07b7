import t from 'tap'
import { csrfTokenOf, errorOf, nameOf, startPages } from '../endpoints/pages/visitor.ts'
import { connect, register } from '../support/service.ts'

// Another site has the browser of somebody, who is signed in, send the forms of our pages; or has it
// sign in as somebody else, to see later what was done there (RFC 9700 §4.7, ASVS 5.0 3.5.1).
const service = await startPages(t)
const { app, issuer, createApp, openBrowser, authorizeUrl } = service
const db = await connect(t, service)

const enter = async () => {
  const person = await register(app)
  const browser = openBrowser()
  const form = await browser.open(`${issuer}/sign-in`)
  const { email: username, password } = person
  const page = await browser.submit(form, { username, password })
  return { ...person, browser, page }
}

const client = await createApp()
const victim = await enter()
const mallory = await enter()
const consent = await victim.browser.open(authorizeUrl(client.id))
const buttons = victim.page.forms.flatMap(({ buttons }) => buttons)
const session = buttons.find(({ name }) => name === 'session')?.value ?? ''

const { email: username, password } = mallory
const forms: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '/sign-in': { username, password },
  '/register': {
    email: `${crypto.randomUUID()}@example.com`,
    password: 'violet kettle on the roof',
  },
  '/password': {
    session,
    current_password: victim.password,
    new_password: 'another violet kettle',
  },
  [`/accounts${consent.url.search}`]: { session },
  [`/consent${consent.url.search}`]: { session, decision: 'allow' },
  '/account/sign-out': { session },
  '/account/end-session': { session, ended: session },
  '/account/take-back': { session, client_id: client.id },
}

const good = csrfTokenOf(victim.page)
const changed = `${good.slice(0, -2)}${good.endsWith('AA') ? 'BA' : 'AA'}`
const forgeries: Readonly<Record<string, { headers?: Record<string, string>; token?: string }>> = {
  'another site, with a good token': { headers: { origin: 'https://evil.example' }, token: good },
  'a sibling port': { headers: { origin: 'http://localhost:1' }, token: good },
  'a sandboxed frame': { headers: { origin: 'null' }, token: good },
  'another site that names no origin': {
    headers: { 'sec-fetch-site': 'cross-site' },
    token: good,
  },
  'a sibling host that names no origin': {
    headers: { 'sec-fetch-site': 'same-site' },
    token: good,
  },
  'no token': {},
  "the token of the attacker's browser": { token: csrfTokenOf(mallory.page) },
  'a token that was changed': { token: changed },
  'a token twice as long': { token: good + good },
}

const stateOf = async () => ({
  consents: await db.selectFrom('consents').selectAll().execute(),
  users: await db.selectFrom('users').select(['id', 'password_hash']).orderBy('id').execute(),
  sessions: await db
    .selectFrom('sessions')
    .select(['id', 'ended_at', 'auth_time'])
    .orderBy('id')
    .execute(),
  requests: await db.selectFrom('authorization_requests').selectAll().execute(),
})

const cookie = [...victim.browser.cookiesOf(issuer)].map((pair) => pair.join('=')).join('; ')

for (const [path, fields] of Object.entries(forms)) {
  t.test(`POST ${path.replace(/\?.*/, '')} by another site does nothing`, async (t) => {
    const before = await stateOf()
    for (const [name, { headers = {}, token }] of Object.entries(forgeries)) {
      const answer = await fetch(`${issuer}${path}`, {
        method: 'POST',
        redirect: 'manual',
        headers: { cookie, ...headers },
        body: new URLSearchParams({ ...(token ? { csrf_token: token } : {}), ...fields }),
      })
      const page = { html: await answer.text() }
      t.equal(answer.status, 403, name)
      t.equal(nameOf(page), 'error', name)
      t.match(
        errorOf(page),
        Object.keys(headers).length > 0
          ? 'The form came from another website. Nothing was done.'
          : 'The form is too old, or cookies are blocked.',
        name,
      )
      t.strictSame(answer.headers.getSetCookie(), [], name)
    }
    t.strictSame(await stateOf(), before)
  })
}

t.test('the forms themselves are good: what was refused was the forgery', async (t) => {
  const answer = await victim.browser.submit(consent, {}, 'allow')
  t.match(answer.url.searchParams.get('code'), /^tac_/)
})
