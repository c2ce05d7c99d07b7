import t from 'tap'
import { authorizeUrl, createPkce, createVisitor, requestOf } from '../support/code-flow.ts'
import { createBrowser, registerApp, startProvider } from '../support/relying-party.ts'

// A page of ours in an invisible frame of another's, over a button that somebody wants to press
// (RFC 9700 §4.16). And what a page must not give away to where it leads.
const provider = await startProvider(t)
const { issuer } = provider
const app = await registerApp(provider, { settings: { consent: 'always' } })
const pkce = await createPkce()
const request = requestOf(app, pkce)
const visitor = await createVisitor(provider)
const stranger = createBrowser(provider)

const pages: Readonly<Record<string, () => Promise<Response>>> = {
  'the sign-in': async () =>
    stranger.ask((await stranger.open(authorizeUrl(provider, request))).url),
  'the consent': async () => {
    const { url } = await visitor.agent.open(authorizeUrl(provider, request))
    return visitor.agent.ask(url)
  },
  'the account chooser': async () => {
    const asked = authorizeUrl(provider, { ...request, prompt: 'select_account' })
    return visitor.agent.ask((await visitor.agent.open(asked)).url)
  },
  'the form that carries an answer': async () => {
    const silent = { ...request, prompt: 'none', response_mode: 'form_post' }
    return stranger.ask(authorizeUrl(provider, silent))
  },
  'the error page': () => stranger.ask(new URL(`${issuer}/authorize?client_id=nobody`)),
  'the device page': () => stranger.ask(new URL(`${issuer}/device`)),
  'the sign-out': () => visitor.agent.ask(new URL(`${issuer}/logout`)),
}

for (const [name, open] of Object.entries(pages)) {
  t.test(`${name} cannot be framed, and tells nobody its address`, async (t) => {
    const answer = await open()
    const html = await answer.text()
    t.ok([200, 400].includes(answer.status), `${answer.status}`)
    t.match(answer.headers.get('content-type'), 'text/html')
    const policy = answer.headers.get('content-security-policy') ?? ''
    const directives = policy.split(';').map((directive) => directive.trim())
    t.ok(directives.includes("frame-ancestors 'none'"), policy)
    t.ok(directives.includes("default-src 'none'"), policy)
    t.ok(directives.includes("base-uri 'none'"), policy)
    const code = directives.filter((directive) => /^(?:script|style|connect)-src/.test(directive))
    t.notMatch(code.join(), /unsafe-inline|unsafe-eval|\*|data:|https?:/, 'no code but its own')
    t.equal(answer.headers.get('x-frame-options'), 'DENY')
    t.match(answer.headers.get('referrer-policy'), /^(?:no-referrer|same-origin)$/)
    t.equal(answer.headers.get('x-content-type-options'), 'nosniff')
    t.match(answer.headers.get('cache-control'), 'no-store')
    t.equal(answer.headers.get('access-control-allow-origin'), null)
    const foreign = [...html.matchAll(/(?:src|href)="(https?:[^"]+)"/g)].map(([, url]) => url)
    t.strictSame(
      foreign.filter((url) => !url?.startsWith(issuer)),
      [],
      'nothing of others is loaded',
    )
  })
}

t.test('no script of another page may read an answer of the authorization endpoint', async (t) => {
  for (const method of ['GET', 'OPTIONS'] as const) {
    const answer = await fetch(authorizeUrl(provider, request), {
      method,
      redirect: 'manual',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'GET' },
    })
    t.equal(answer.headers.get('access-control-allow-origin'), null, method)
  }
})
