import { test } from 'tap'
import { createJar } from '../../support/cookie-jar.ts'
import { isProblem, newPassword, startApi } from './api.ts'

test('with SESSION_COOKIES the first-party API gives cookies to whoever does not refuse them', async (t) => {
  const api = await startApi(t, {
    ...{ ISSUER: 'https://auth.example.com', SESSION_COOKIES: 'true' },
  })
  const tokenCookies = ['__Host-tessera_refresh', '__Host-tessera_access', 'tessera_csrf']
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const newAccount = () => ({
    email: `${crypto.randomUUID()}@example.com`,
    password: newPassword(),
  })
  const account = newAccount()
  const { email: username, password } = account
  const send = async (request: {
    url: string
    payload: object | string
    headers?: Record<string, string>
  }) => {
    const { status, json, set } = await createJar(api.app).send(request)
    t.ok([200, 201].includes(status), request.url)
    const given = set.map(({ name }) => name).filter((name) => tokenCookies.includes(name))
    return { given, refreshToken: json.refresh_token as string | undefined }
  }
  const requests = (cookies: object) => [
    { url: '/auth/register', payload: { ...newAccount(), ...cookies } },
    { url: '/auth/login', payload: { ...account, ...cookies } },
    {
      ...{ url: '/auth/login-form', headers: form },
      payload: new URLSearchParams({ username, password, ...cookies }).toString(),
    },
  ]
  await send({ url: '/auth/register', payload: account })
  for (const request of requests({})) {
    t.strictSame(await send(request), { given: tokenCookies, refreshToken: undefined }, request.url)
  }
  for (const request of requests({ cookies: false })) {
    const { given, refreshToken } = await send(request)
    t.strictSame(given, [], request.url)
    t.match(refreshToken, /^trt_/)
    const refresh = { url: '/auth/refresh', payload: { refresh_token: refreshToken } }
    const refused = { ...refresh, payload: { ...refresh.payload, cookies: false } }
    const next = await send(refused)
    t.strictSame(next.given, [])
    const payload = { refresh_token: next.refreshToken }
    t.strictSame(await send({ ...refresh, payload }), {
      given: tokenCookies,
      refreshToken: undefined,
    })
  }
  const foreign = {
    url: '/auth/login',
    payload: account,
    headers: { origin: 'https://evil.example' },
  }
  isProblem(t, await createJar(api.app).send(foreign), 'untrusted_origin')
})
