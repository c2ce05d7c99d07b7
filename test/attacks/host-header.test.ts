import { decodeJwt } from 'jose'
import t from 'tap'
import { createMachine, postForm } from '../endpoints/oauth/requests.ts'
import { parseAnswer, sendBytes } from '../plugins/test-server.ts'
import { register, startService } from '../support/service.ts'

// Behind a proxy that is trusted: even then its word counts for addresses only.
const { app, config, deps } = await startService(t, { TRUSTED_PROXIES: '127.0.0.1' })
const machine = await createMachine(deps)
const person = await register(app)

const evil = 'evil.example'
const claims: Record<string, Record<string, string>> = {
  Host: { host: evil },
  'Host with a port': { host: `${evil}:443` },
  'X-Forwarded-Host': { 'x-forwarded-host': evil, 'x-forwarded-proto': 'https' },
  Forwarded: { forwarded: `host=${evil};proto=https` },
  'X-Original-URL': { 'x-original-url': `https://${evil}/auth/me`, 'x-rewrite-url': '/auth/me' },
  'X-Forwarded-Prefix': { 'x-forwarded-prefix': `//${evil}`, 'x-script-name': `//${evil}` },
}

const read = (url: string) => (headers: Record<string, string>) => app.inject({ url, headers })
const answers = {
  metadata: read('/.well-known/oauth-authorization-server'),
  'the first page': read('/'),
  'the first page as JSON': (headers: Record<string, string>) =>
    app.inject({ url: '/', headers: { ...headers, accept: 'application/json' } }),
  'the API page': read('/docs'),
  'a redirect of the API page': read('/docs/static/index.html'),
  'the description of the API': read('/docs/json'),
  'a challenge': read('/auth/me'),
  'an unknown address': read(`//${evil}/%2e%2e`),
  'a refused preflight': (headers: Record<string, string>) =>
    app.inject({
      method: 'OPTIONS',
      url: '/auth/login',
      headers: { ...headers, origin: `https://${evil}`, 'access-control-request-method': 'POST' },
    }),
} as const

for (const [what, headers] of Object.entries(claims)) {
  t.test(`what a request says of the service’s name is not believed: ${what}`, async (t) => {
    for (const [name, ask] of Object.entries(answers)) {
      const answer = await ask(headers)
      const plain = await ask({})
      t.notMatch(`${JSON.stringify(answer.headers)}${answer.body}`, evil, name)
      t.equal(answer.statusCode, plain.statusCode, name)
    }
    const signedIn = await app.inject({
      ...{ method: 'POST', url: '/auth/login', headers },
      payload: { email: person.email, password: person.password },
    })
    const granted = await postForm(app, '/token', 'grant_type=client_credentials', {
      ...machine.headers,
      ...headers,
    })
    for (const answer of [signedIn, granted]) {
      const { iss, aud } = decodeJwt(answer.json().access_token)
      t.strictSame([iss, aud], [config.issuer, config.issuer])
    }
  })
}

t.test('a method is what the request line says, whatever else a request claims', async (t) => {
  const override = {
    'x-http-method-override': 'PATCH',
    'x-http-method': 'PATCH',
    'x-method-override': 'PATCH',
  }
  const answer = await app.inject({
    method: 'POST',
    url: '/auth/me?_method=PATCH',
    headers: { ...override, authorization: `Bearer ${person.access_token}` },
    payload: { name: 'Mallory', _method: 'PATCH' },
  })
  t.match([answer.statusCode, answer.headers.allow], [405, 'GET, HEAD, PATCH'])
})

for (const path of [
  '//auth/me',
  '/auth//me',
  '/auth/me/',
  '/AUTH/ME',
  '/auth/Me',
  '/auth%2fme',
  '/auth/me%00',
  '/auth/me%20',
  '/auth/me;x=1',
  '/./auth/me',
  '/x/../auth/me',
  '/x/%2e%2e/auth/me',
  '/auth\\me',
  '/docs/static/../../auth/me',
  '/docs/static/%2e%2e/%2e%2e/package.json',
  '/docs/static/..%5c..%5cpackage.json',
  '/docs/static//etc/passwd',
]) {
  t.test(`no other address leads where this one does not: ${path}`, async (t) => {
    const ask = async (address: string) =>
      parseAnswer(
        await sendBytes(
          app,
          `GET ${address} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${person.access_token}\r\nConnection: close\r\n\r\n`,
        ),
      )
    t.equal((await ask('/auth/me')).status, 200)
    const { status, body } = await ask(path)
    t.match([status, JSON.parse(body)], [404, { code: 'not_found' }])
  })
}
