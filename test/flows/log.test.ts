import t from 'tap'
import { refuseSecrets } from '../support/secrets-in-log.ts'
import { register, startService } from '../support/service.ts'

t.test('the log tells of every request, with its id, and of no secret in it', async (t) => {
  const { app, log } = await startService(t)
  const person = await register(app)
  const post = (url: string, payload: object, headers = {}) =>
    app.inject({ method: 'POST', url, payload, headers: { 'x-request-id': 'r1', ...headers } })

  await post('/auth/login', { email: person.email, password: 'wrong battery staple' })
  await post('/auth/login', { email: person.email, password: person.password })
  const refreshed = await post('/auth/refresh', { refresh_token: person.refresh_token })
  await post('/auth/verify', { token: person.access_token })
  await post('/auth/logout', {}, { authorization: `Bearer ${person.access_token}` })
  await post('/token', {}, { authorization: 'Basic c3ZjX3g6dGNzX3NlY3JldA==', cookie: 'sid=crumb' })
  await app.inject(`/auth/me?access_token=${person.access_token}`)

  const lines = log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request')
  t.same(
    lines.map(({ method, route, status }) => `${method} ${route} ${status}`),
    [
      'POST /auth/register 201',
      'POST /auth/login 401',
      'POST /auth/login 200',
      'POST /auth/refresh 200',
      'POST /auth/verify 200',
      'POST /auth/logout 204',
      'POST /token 415',
      'GET /auth/me 401',
    ],
  )
  t.ok(lines.slice(1, 7).every(({ requestId }) => requestId === 'r1'))
  const text = log.join('\n')
  for (const secret of [
    person.password,
    person.access_token,
    person.refresh_token,
    refreshed.json().access_token,
    refreshed.json().refresh_token,
    'wrong battery staple',
    'c3ZjX3g6dGNzX3NlY3JldA==',
    'crumb',
  ]) {
    t.notOk(text.includes(secret))
  }
})

t.test('the check that every test of the service runs over its log knows secrets', async (t) => {
  const { app } = await startService(t)
  const { access_token: accessToken, refresh_token: refreshToken } = await register(app)
  for (const secret of [accessToken, refreshToken, 'Bearer abcdefgh', '$argon2id$v=19$m=64']) {
    t.throws(() => refuseSecrets(['{}', JSON.stringify({ secret })]), /secret in the log/)
  }
  t.doesNotThrow(() => refuseSecrets(['{"msg":"request","route":"/token"}']))
})
