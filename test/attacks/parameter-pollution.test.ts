import t from 'tap'
import {
  type App,
  authorizeUrl,
  createPkce,
  createVisitor,
  redeem,
  requestOf,
  takeCode,
} from '../support/code-flow.ts'
import { createBrowser, redirectUri, registerApp, startProvider } from '../support/relying-party.ts'

// Two parsers that read the same request differently: of a repeated parameter one checks the first
// and the other acts on the last. So none may be repeated (OAuth 2.1 §3.1, ASVS 15.3.7).
const provider = await startProvider(t)
const { issuer } = provider
const app = await registerApp(provider)
const pkce = await createPkce()
const visitor = await createVisitor(provider)
const agent = createBrowser(provider)

const twice = (form: Readonly<Record<string, string>>, name: string, second: string) => {
  const body = new URLSearchParams(form)
  body.append(name, second)
  return body
}

const request = requestOf(app, pkce, { prompt: 'none', nonce: 'n', max_age: '60' })
// Without them it is not known where an answer may go.
const shown = ['client_id', 'redirect_uri']

for (const name of Object.keys(request).filter((each) => !shown.includes(each))) {
  for (const method of ['GET', 'POST'] as const) {
    t.test(
      `${method} /authorize with ${name} twice: the app is told, also of equal ones`,
      async (t) => {
        for (const second of ['other', request[name] ?? '']) {
          const body = twice(request, name, second)
          const answer =
            method === 'GET'
              ? await agent.ask(new URL(`${issuer}/authorize?${body}`))
              : await agent.ask(new URL(`${issuer}/authorize`), { method, body, origin: issuer })
          t.equal(answer.status, 303)
          const target = new URL(answer.headers.get('location') ?? '')
          t.equal(`${target.origin}${target.pathname}`, redirectUri)
          t.equal(target.searchParams.get('error'), 'invalid_request')
          t.equal(target.searchParams.get('iss'), issuer)
          t.equal(target.searchParams.get('state'), name === 'state' ? null : 'the-state')
        }
      },
    )
  }
}

for (const name of shown) {
  t.test(`/authorize with ${name} twice: nothing is sent anywhere`, async (t) => {
    for (const second of ['https://evil.example/callback', request[name] ?? '']) {
      const answer = await agent.ask(new URL(`${issuer}/authorize?${twice(request, name, second)}`))
      t.strictSame([answer.status, answer.headers.get('location')], [400, null])
    }
  })
}

t.test('POST /authorize reads its body alone, not the address', async (t) => {
  const answer = await agent.ask(authorizeUrl(provider, { ...request, scope: 'openid profile' }), {
    method: 'POST',
    body: new URLSearchParams({ ...request, scope: 'unknown' }),
    origin: issuer,
  })
  const target = new URL(answer.headers.get('location') ?? issuer)
  t.equal(target.searchParams.get('error'), 'invalid_scope')
})

const post = async ({ id, secret }: App, path: string, body: URLSearchParams) => {
  const answer = await fetch(`${issuer}${path}`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${id}:${secret}`)}` },
    body,
  })
  const { error } = (await answer.json()) as { error?: string }
  return { status: answer.status, error, cache: answer.headers.get('cache-control') }
}

const refused = { status: 400, error: 'invalid_request', cache: 'no-store' }

const forms = {
  '/token': {
    grant_type: 'authorization_code',
    code: 'tac_x',
    redirect_uri: redirectUri,
    code_verifier: pkce.verifier,
    scope: 'openid',
  },
  '/par': requestOf(app, pkce),
  '/introspect': { token: 'x', token_type_hint: 'access_token' },
  '/revoke': { token: 'x', token_type_hint: 'access_token' },
  '/device_authorization': { scope: 'openid' },
}

for (const [path, form] of Object.entries(forms)) {
  t.test(`POST ${path} with any parameter twice is refused`, async (t) => {
    for (const [name, value] of Object.entries(form)) {
      for (const second of ['other', value]) {
        t.strictSame(await post(app, path, twice(form, name, second)), refused, name)
      }
    }
  })
}

t.test('a code that came with a repeated parameter is not burnt', async (t) => {
  const code = await takeCode(provider, visitor, app, pkce)
  const form = { ...forms['/token'], code }
  t.strictSame(await post(app, '/token', twice(form, 'code', 'other')), refused)
  t.equal((await redeem(provider, app, code, pkce)).status, 200)
})

t.test('what stands in the address of the token endpoint counts for nothing', async (t) => {
  const code = await takeCode(provider, visitor, app, pkce)
  const { code: _, ...rest } = { ...forms['/token'], code }
  const answer = await post(app, `/token?code=${code}`, new URLSearchParams(rest))
  t.strictSame(answer, refused)
  t.equal((await redeem(provider, app, code, pkce)).status, 200)
})

t.test('what looks like a list or an object in a name is a name', async (t) => {
  for (const name of ['scope[]', 'scope[0]', '__proto__', 'constructor', 'scope.x']) {
    const url = new URL(`${issuer}/authorize?${twice(request, name, 'unknown')}`)
    const target = new URL((await agent.ask(url)).headers.get('location') ?? issuer)
    t.equal(target.searchParams.get('error'), 'login_required', name)
  }
})
