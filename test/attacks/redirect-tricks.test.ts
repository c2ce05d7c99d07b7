import t from 'tap'
import { authorizeUrl, createPkce, postAs, requestOf } from '../support/code-flow.ts'
import { createBrowser, registerApp, startProvider } from '../support/relying-party.ts'

// A code goes where nobody can read it but the app. Whatever resembles its address is another one
// (RFC 9700 §4.1), and an error is shown where it arose instead of being sent there.
const provider = await startProvider(t)
const pkce = await createPkce()
const loopback = 'http://127.0.0.1/callback'
const app = await registerApp(provider, {
  redirectUris: ['https://app.example/callback', 'https://app.example/q?a=b', loopback],
})
const agent = createBrowser(provider)

const tricks: readonly string[] = [
  'https://app.example/callback/',
  'https://app.example/callback?',
  'https://app.example/callback?x=1',
  'https://app.example/callback#',
  'https://app.example/callback#fragment',
  'https://app.example/callbac',
  'https://app.example/callback.evil.example',
  'https://app.example/callback/../evil',
  'https://app.example/callback%2f..%2fevil',
  'https://app.example/%63allback',
  'https://app.example//callback',
  'https://app.example/Callback',
  'https://APP.example/callback',
  'HTTPS://app.example/callback',
  'http://app.example/callback',
  'https://app.example:443/callback',
  'https://app.example:8443/callback',
  'https://app.example./callback',
  'https://www.app.example/callback',
  'https://app.example.evil.example/callback',
  'https://evilapp.example/callback',
  'https://user@app.example/callback',
  'https://app.example@evil.example/callback',
  'https://app.example:pw@evil.example/callback',
  'https://evil.example\\@app.example/callback',
  'https://app.example\\.evil.example/callback',
  'https:/app.example/callback',
  'https:app.example/callback',
  '//app.example/callback',
  '/callback',
  'callback',
  ' https://app.example/callback',
  'https://app.example/callback ',
  'https://app.example/callback\n',
  'https://app.example/callback\u0000',
  'https://app.example/callback%00',
  'https://app.exаmple/callback',
  'https://ａpp.example/callback',
  'https://app.example/q',
  'https://app.example/q?a=c',
  'https://app.example/q?a=b&code=planted',
  'javascript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'about:blank',
  'null',
  '[object Object]',
  'https://app.example/callback,https://evil.example/',
  'https://app.example/callback https://evil.example/',
  'http://localhost/callback',
  'http://127.0.0.1.evil.example/callback',
  'http://127.0.0.1:80@evil.example/callback',
  'http://127.0.0.1:/callback',
  'http://127.0.0.1:99999/callback',
  'http://127.0.0.1:8080/other',
  'http://127.0.0.1:8080/callback?x=1',
  'http://127.1/callback',
  'http://2130706433/callback',
  'http://0x7f.0.0.1/callback',
  'http://127.0.0.2/callback',
  'http://[::1]/callback',
  'http://[::ffff:127.0.0.1]/callback',
  'https://127.0.0.1/callback',
]

for (const trick of tricks) {
  t.test(`${JSON.stringify(trick)} is not the redirect URI of the app`, async (t) => {
    const request = requestOf(app, pkce, { redirect_uri: trick })
    for (const [name, value] of [
      ['state', 's'],
      ['prompt', 'none'],
      ['response_type', 'token'],
    ] as const) {
      const url = authorizeUrl(provider, request)
      url.searchParams.set(name, value)
      const answer = await agent.ask(url)
      const html = await answer.text()
      t.equal(answer.status, 400)
      t.equal(answer.headers.get('location'), null)
      t.match(answer.headers.get('content-type'), 'text/html')
      t.notMatch(html, /<meta[^>]*refresh/i)
      t.notMatch(html, /(?:href|action)="(?:https?:)?\/\/(?!localhost)/i, 'no link leads there')
    }
    t.match(await postAs(provider, '/par', app, request), {
      status: 400,
      body: { error: 'invalid_request' },
    })
  })
}

t.test('an app on the own machine may listen on any port (RFC 8252 §7.3)', async (t) => {
  for (const port of ['', ':1024', ':65535']) {
    const redirectUri = `http://127.0.0.1${port}/callback`
    const request = requestOf(app, pkce, { redirect_uri: redirectUri, prompt: 'none' })
    const page = await agent.open(authorizeUrl(provider, request))
    t.equal(`${page.url.origin}${page.url.pathname}`, redirectUri)
    t.equal(page.url.searchParams.get('error'), 'login_required')
  }
})

t.test('what a registered address has in its query stays there (RFC 6749 §3.1.2)', async (t) => {
  const request = requestOf(app, pkce, {
    redirect_uri: 'https://app.example/q?a=b',
    prompt: 'none',
  })
  const page = await agent.open(authorizeUrl(provider, request))
  t.match(page.url.href, /^https:\/\/app\.example\/q\?a=b&error=login_required&/)
})

t.test('an address is not left out where the app has several', async (t) => {
  const request = requestOf(app, pkce, { redirect_uri: undefined })
  const answer = await agent.ask(authorizeUrl(provider, request))
  t.strictSame([answer.status, answer.headers.get('location')], [400, null])
})
