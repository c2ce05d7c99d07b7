import t from 'tap'
import type { ProblemCode } from '../../src/oauth/problem.ts'
import { isProblem, newPassword, startApi } from '../endpoints/auth/api.ts'
import { createJar } from '../support/cookie-jar.ts'

// Another site makes the browser of a victim, who is signed in by cookies, send requests. SameSite
// alone would stop most of it; the service is tested as if a browser sent the cookies always.

const origin = 'https://auth.example.com'
const app = 'https://app.example.net'
const api = await startApi(t, { ISSUER: origin, CORS_ORIGINS: app })

const signIn = async () => {
  const jar = createJar(api.app)
  const payload = {
    email: `${crypto.randomUUID()}@example.com`,
    password: newPassword(),
    cookies: true,
  }
  const { json } = await jar.send({ url: '/auth/register', payload })
  const { email, password } = payload
  return { jar, email, password, csrf: json.csrf_token as string, token: json.access_token }
}

const victim = await signIn()
const mallory = await signIn()
// A family of the victim's own, on another device.
const elsewhere = await (async () => {
  const { email, password } = victim
  const jar = createJar(api.app)
  const { json } = await jar.send({
    url: '/auth/login',
    payload: { email, password, cookies: true },
  })
  return json.csrf_token as string
})()

type Request = Parameters<typeof victim.jar.send>[0]
const acts: Record<string, Request> = {
  refresh: { url: '/auth/refresh' },
  'sign-out': { url: '/auth/logout' },
  'sign-out everywhere': { url: '/auth/logout-all' },
  'a change of the profile': { method: 'PATCH', url: '/auth/me', payload: { name: 'Mallory' } },
  'a change of the password': {
    url: '/auth/password',
    payload: { current_password: victim.password, new_password: newPassword() },
  },
  'the end of a session': { method: 'DELETE', url: `/auth/sessions/${crypto.randomUUID()}` },
}

const good = victim.csrf
const changed = (text: string) => `${text.slice(0, -2)}${text.endsWith('AA') ? 'BA' : 'AA'}`
const forged: readonly (readonly [string, Record<string, string>, ProblemCode])[] = [
  ['another site', { origin: 'https://evil.example', 'x-csrf-token': good }, 'untrusted_origin'],
  ['a sibling host', { origin: 'https://x.example.com', 'x-csrf-token': good }, 'untrusted_origin'],
  [
    'a host below',
    { origin: 'https://x.auth.example.com', 'x-csrf-token': good },
    'untrusted_origin',
  ],
  [
    'the same host on http',
    { origin: 'http://auth.example.com', 'x-csrf-token': good },
    'untrusted_origin',
  ],
  ['another port', { origin: `${origin}:8443`, 'x-csrf-token': good }, 'untrusted_origin'],
  ['a sandboxed frame', { origin: 'null', 'x-csrf-token': good }, 'untrusted_origin'],
  ['an empty origin', { origin: '', 'x-csrf-token': good }, 'untrusted_origin'],
  ['two origins', { origin: `${origin}, ${app}`, 'x-csrf-token': good }, 'untrusted_origin'],
  [
    'no origin, but another site',
    { 'sec-fetch-site': 'cross-site', 'x-csrf-token': good },
    'untrusted_origin',
  ],
  [
    'no origin, but a sibling host',
    { 'sec-fetch-site': 'same-site', 'x-csrf-token': good },
    'untrusted_origin',
  ],
  ['no token', { origin }, 'invalid_csrf_token'],
  ['no token, from an allowed app', { origin: app }, 'invalid_csrf_token'],
  ['neither origin nor token', {}, 'invalid_csrf_token'],
  ['an empty token', { origin, 'x-csrf-token': '' }, 'invalid_csrf_token'],
  ['an invented token', { origin, 'x-csrf-token': 'A'.repeat(44) }, 'invalid_csrf_token'],
  ['a changed token', { origin, 'x-csrf-token': changed(good) }, 'invalid_csrf_token'],
  ["mallory's own token", { origin, 'x-csrf-token': mallory.csrf }, 'invalid_csrf_token'],
  [
    "a token of the victim's other session",
    { origin, 'x-csrf-token': elsewhere },
    'invalid_csrf_token',
  ],
  ['the access token', { origin, 'x-csrf-token': victim.token }, 'invalid_csrf_token'],
  ['two tokens', { origin, 'x-csrf-token': `${good}, ${good}` }, 'invalid_csrf_token'],
]

for (const [act, request] of Object.entries(acts)) {
  t.test(`a forged request changes nothing: ${act}`, async (t) => {
    for (const [reason, headers, code] of forged) {
      const before = new Map(victim.jar.kept)
      await t.test(reason, async (t) => {
        isProblem(t, await victim.jar.send({ ...request, headers }), code)
        t.strictSame(victim.jar.kept, before, 'the cookies stay')
      })
    }
    t.equal((await victim.jar.send({ method: 'GET', url: '/auth/me' })).json.name, null)
  })
}

t.test('a form of another site cannot speak JSON', async (t) => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    const answer = await victim.jar.send({
      url: '/auth/password',
      payload: '{"current_password":"x","new_password":"gurgling turnip rain"}',
      headers: { 'content-type': type, origin: 'https://evil.example' },
    })
    t.ok([403, 415].includes(answer.status))
    t.equal(answer.headers['access-control-allow-origin'], undefined)
  }
})

t.test('another site cannot sign a browser in, nor make it forget its device', async (t) => {
  const { email, password } = mallory
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const cross: readonly Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
  ]
  for (const headers of cross) {
    const before = new Map(victim.jar.kept)
    const login = { email, password, cookies: true }
    isProblem(
      t,
      await victim.jar.send({ url: '/auth/login', payload: login, headers }),
      'untrusted_origin',
    )
    const fresh = { ...login, email: `${crypto.randomUUID()}@example.com` }
    isProblem(
      t,
      await victim.jar.send({ url: '/auth/register', payload: fresh, headers }),
      'untrusted_origin',
    )
    const payload = new URLSearchParams({ username: email, password, cookies: 'true' }).toString()
    const posted = await victim.jar.send({
      ...{ url: '/auth/login-form', payload },
      headers: { ...form, ...headers },
    })
    t.equal(posted.status, 403)
    const plain = new URLSearchParams({ username: email, password }).toString()
    const quiet = await victim.jar.send({
      ...{ url: '/auth/login-form', payload: plain },
      headers: { ...form, ...headers },
    })
    t.equal(quiet.status, 200)
    t.strictSame(quiet.set, [])
    t.strictSame(victim.jar.kept, before)
  }
})

t.test('a cookie that is not ours is refused, and belongs to nobody', async (t) => {
  const jar = createJar(api.app)
  jar.kept.set('__Host-tessera_refresh', `trt_${'A'.repeat(92)}`)
  isProblem(
    t,
    await jar.send({ url: '/auth/refresh', headers: { origin: 'https://evil.example' } }),
    'untrusted_origin',
  )
  isProblem(
    t,
    await jar.send({ url: '/auth/refresh', headers: { origin } }),
    'invalid_refresh_token',
  )
})

t.test('cookies by another name are none of ours', async (t) => {
  const jar = createJar(api.app)
  jar.kept.set('tessera_access', victim.token)
  jar.kept.set('__Secure-tessera_access', victim.token)
  isProblem(t, await jar.send({ method: 'GET', url: '/auth/me' }), 'missing_credentials')
})

t.test('an allowed app with the right token is served', async (t) => {
  const headers = { origin: app, 'x-csrf-token': good }
  const answer = await victim.jar.send({ url: '/auth/refresh', headers })
  t.equal(answer.status, 200)
  t.match(answer.headers, {
    'access-control-allow-origin': app,
    'access-control-allow-credentials': 'true',
  })
})
