import { test } from 'tap'
import { createJar } from '../../support/cookie-jar.ts'
import { isDone, isProblem, newPassword, startApi } from './api.ts'

const origin = 'https://auth.example.com'
const https = { ISSUER: origin }
const day = 24 * 60 * 60

const startBrowser = async (t: Parameters<typeof startApi>[0], environment = {}) => {
  const api = await startApi(t, environment)
  const jar = createJar(api.app)
  const account = { email: `${crypto.randomUUID()}@example.com`, password: newPassword() }
  const register = () => jar.send({ url: '/auth/register', payload: { ...account, cookies: true } })
  return { api, jar, account, register }
}

test('with an https issuer the cookies are Secure and belong to this host', async (t) => {
  const { register } = await startBrowser(t, https)
  const { status, json, set } = await register()
  t.equal(status, 201)
  t.notOk('refresh_token' in json, 'the refresh token stands in its cookie only')
  const own = ['Path=/', 'SameSite=Strict', 'Secure']
  t.strictSame(
    set.map(({ name, maxAge, attributes }) => [name, maxAge, attributes]),
    [
      ['__Host-tessera_device', 180 * day, ['HttpOnly', ...own]],
      ['__Host-tessera_refresh', 7 * day, ['HttpOnly', ...own]],
      ['__Host-tessera_access', 900, ['HttpOnly', 'Path=/', 'SameSite=Lax', 'Secure']],
      ['tessera_csrf', 7 * day, own],
    ],
  )
  t.equal(set[2]?.value, json.access_token)
  t.equal(set[3]?.value, json.csrf_token)
})

test('COOKIE_DOMAIN gives the access token to sibling hosts, and the refresh token to none', async (t) => {
  const { register } = await startBrowser(t, { ...https, COOKIE_DOMAIN: 'example.com' })
  const { set } = await register()
  t.strictSame(
    set.map(({ name, attributes }) => [
      name,
      attributes.find((attribute) => attribute.startsWith('Domain=')),
    ]),
    [
      ['__Host-tessera_device', undefined],
      ['__Host-tessera_refresh', undefined],
      ['__Secure-tessera_access', 'Domain=example.com'],
      ['tessera_csrf', 'Domain=example.com'],
    ],
  )
})

test('with an http issuer the cookies have no prefix and are not Secure', async (t) => {
  const { register } = await startBrowser(t)
  const { set } = await register()
  t.strictSame(
    set.map(({ name }) => name),
    ['tessera_device', 'tessera_refresh', 'tessera_access', 'tessera_csrf'],
  )
  for (const { attributes } of set) t.notOk(attributes.includes('Secure'))
})

test('a session in cookies', async (t) => {
  const { api, jar, account, register } = await startBrowser(t, https)
  const { json } = await register()
  const { id } = json.user
  const proof = { origin, 'x-csrf-token': json.csrf_token as string }

  await t.test('whoever does not ask for token cookies gets none', async (t) => {
    const { email, password } = account
    const { set, json } = await createJar(api.app).send({
      url: '/auth/login',
      payload: { email, password },
    })
    t.strictSame(
      set.map(({ name }) => name),
      ['__Host-tessera_device'],
    )
    t.match(json.refresh_token, /^trt_/)
  })

  await t.test('sign-in by JSON and by form give them too', async (t) => {
    const { email, password } = account
    const form = new URLSearchParams({ username: email, password, cookies: 'true' }).toString()
    const type = { 'content-type': 'application/x-www-form-urlencoded' }
    for (const request of [
      { url: '/auth/login', payload: { email, password, cookies: true } },
      { url: '/auth/login-form', payload: form, headers: type },
    ]) {
      const other = createJar(api.app)
      const { status, json } = await other.send(request)
      t.equal(status, 200)
      t.notOk('refresh_token' in json)
      t.equal(other.kept.get('__Host-tessera_access'), json.access_token)
      t.match(other.kept.get('__Host-tessera_refresh'), /^trt_/)
    }
  })

  await t.test('reads with the access cookie alone', async (t) => {
    const { status, json } = await jar.send({ method: 'GET', url: '/auth/me' })
    t.equal(status, 200)
    t.equal(json.id, id)
  })

  await t.test('changes with the cookie and the CSRF token', async (t) => {
    const { status, json } = await jar.send({
      ...{ method: 'PATCH', url: '/auth/me', headers: proof },
      payload: { name: 'Jo' },
    })
    t.equal(status, 200)
    t.equal(json.name, 'Jo')
  })

  await t.test('a bearer header wins over the cookie', async (t) => {
    const other = await api.join()
    const mine = await jar.send({
      ...{ method: 'GET', url: '/auth/me' },
      headers: { authorization: `Bearer ${other.token}` },
    })
    t.equal(mine.json.id, other.id)
    const bad = await jar.send({
      ...{ method: 'GET', url: '/auth/me' },
      headers: { authorization: 'Bearer nonsense' },
    })
    isProblem(t, bad, 'invalid_token')
    const changed = await jar.send({
      ...{ method: 'PATCH', url: '/auth/me', payload: { name: 'Al' } },
      headers: { authorization: `Bearer ${other.token}` },
    })
    t.equal(changed.json.id, other.id, 'and needs no CSRF token')
  })

  await t.test(
    'a refresh by cookie sets cookies again, and the CSRF token stays good',
    async (t) => {
      const before = jar.kept.get('__Host-tessera_refresh')
      for (const url of ['/auth/refresh', '/refresh']) {
        const { status, json, set } = await jar.send({ url, headers: proof })
        t.equal(status, 200)
        t.strictSame(Object.keys(json).sort(), [
          'access_token',
          'csrf_token',
          'expires_in',
          'scope',
          'token_type',
        ])
        t.equal(set.length, 3)
      }
      t.not(jar.kept.get('__Host-tessera_refresh'), before)
    },
  )

  await t.test('two tabs that refresh with the same cookie both go on', async (t) => {
    const answers = await Promise.all(
      [1, 2].map(() => jar.send({ url: '/auth/refresh', headers: proof })),
    )
    t.strictSame(
      answers.map(({ status }) => status),
      [200, 200],
    )
    const [first, second] = answers.map(({ set }) => set[0]?.value)
    t.equal(first, second, 'with one successor')
    t.equal((await jar.send({ url: '/auth/refresh', headers: proof })).status, 200)
  })

  await t.test('a refresh token of the body can move into cookies', async (t) => {
    const person = await api.join()
    const other = createJar(api.app)
    const payload = { refresh_token: person.refreshToken, cookies: true }
    const { status, json } = await other.send({ url: '/auth/refresh', payload })
    t.equal(status, 200)
    t.notOk('refresh_token' in json)
    t.match(other.kept.get('__Host-tessera_refresh'), /^trt_/)
  })

  await t.test('a page that was loaded again asks for the CSRF token', async (t) => {
    const { status, json, headers } = await jar.send({ method: 'GET', url: '/auth/csrf' })
    t.equal(status, 200)
    t.equal(headers['cache-control'], 'no-store')
    const again = { origin, 'x-csrf-token': json.csrf_token }
    t.equal((await jar.send({ url: '/auth/refresh', headers: again })).status, 200)
    for (const cookie of [undefined, '__Host-tessera_refresh=nonsense']) {
      const answer = await api.request({
        url: '/auth/csrf',
        headers: cookie === undefined ? {} : { cookie },
      })
      isProblem(t, answer, 'missing_credentials')
    }
  })

  await t.test(
    'sign-out ends the session and takes the cookies, but knows the device',
    async (t) => {
      isDone(t, await jar.send({ url: '/auth/logout', headers: proof }))
      t.strictSame([...jar.kept.keys()], ['__Host-tessera_device'])
      isProblem(t, await api.get('/auth/me', json.access_token), 'revoked_token')
      t.strictSame((await api.eventOf(id, 'session.ended')).details, { reason: 'signed_out' })
    },
  )

  await t.test('without cookies and body a refresh says what it needs', async (t) => {
    isProblem(t, await api.post('/auth/refresh'), 'validation', {
      fields: [{ field: 'refresh_token', message: 'is required' }],
    })
  })
})

test('sign-out everywhere, also by cookie, takes the cookies', async (t) => {
  const { jar, register } = await startBrowser(t, https)
  const { json } = await register()
  const headers = { origin, 'x-csrf-token': json.csrf_token }
  isDone(t, await jar.send({ url: '/auth/logout-all', headers }))
  t.strictSame([...jar.kept.keys()], ['__Host-tessera_device'])
})

test('a cookie whose session has ended is refused, goes away, and signs out all the same', async (t) => {
  const { api, jar, register } = await startBrowser(t, https)
  const { json } = await register()
  const headers = { origin, 'x-csrf-token': json.csrf_token }
  isDone(t, await api.post('/auth/logout', undefined, json.access_token))
  const copy = new Map(jar.kept)
  isProblem(t, await jar.send({ url: '/auth/refresh', headers }), 'revoked_refresh_token')
  t.strictSame([...jar.kept.keys()], ['__Host-tessera_device'])
  for (const [name, value] of copy) jar.kept.set(name, value)
  isDone(t, await jar.send({ url: '/auth/logout', headers }))
  t.strictSame([...jar.kept.keys()], ['__Host-tessera_device'])
})
