import { test } from 'tap'
import { byCli, isProblem, malformedBodies, startApi } from './api.ts'

test('POST /auth/login', async (t) => {
  const api = await startApi(t)

  await t.test('signs in by email or username, however they are cased', async (t) => {
    const { email, password, user, id } = await api.join({ username: 'Jo_Doe' })
    for (const name of [
      { email },
      { email: ` ${email.toUpperCase()} ` },
      { username: 'Jo_Doe' },
      { username: 'JO_DOE' },
    ]) {
      const { status, headers, json } = await api.post('/auth/login', { ...name, password })
      t.equal(status, 200)
      t.equal(headers['cache-control'], 'no-store')
      const { access_token: token, refresh_token: refreshToken, ...rest } = json
      t.strictSame(rest, {
        token_type: 'Bearer',
        expires_in: 900,
        scope: 'account',
        user: { ...user, last_login_at: json.user.last_login_at },
      })
      t.ok(json.user.last_login_at > user.last_login_at, 'the sign-in is noted')
      t.strictSame((await api.get('/auth/me', token)).json, json.user)
      t.equal((await api.post('/auth/refresh', { refresh_token: refreshToken })).status, 200)
    }
    const sessions = await api.db
      .selectFrom('sessions')
      .select('id')
      .where('user_id', '=', id)
      .execute()
    t.equal(sessions.length, 5, 'each sign-in is a session')
  })

  await t.test('gives administrators the scope for it', async (t) => {
    const { email, password, id } = await api.join()
    await api.deps.userAdministration.grantRole(id, 'admin', byCli)
    const { json } = await api.post('/auth/login', { email, password })
    t.equal(json.scope, 'account admin')
    t.strictSame(json.user.roles, ['admin', 'user'])
    t.strictSame(json.user.permissions, ['admin'])
  })

  await t.test('answers unknown, wrong and disabled alike', async (t) => {
    const { email, password } = await api.join({ username: 'known' })
    const disabled = await api.join()
    await api.deps.userAdministration.disableUser(disabled.id, byCli)
    for (const body of [
      { email: 'nobody@example.com', password },
      { email: 'no address', password },
      { username: 'nobody', password },
      { email, password: 'another password' },
      { username: 'known', password: 'x' },
      { email, password: password.repeat(100) },
      { email: disabled.email, password: disabled.password },
    ]) {
      isProblem(t, await api.post('/auth/login', body), 'invalid_credentials')
    }
  })

  await t.test('takes exactly one of the two names', async (t) => {
    const { email, password } = await api.join({ username: 'either' })
    const message = 'either email or username must be given, and not both'
    const fields = [{ field: 'email', message }]
    for (const body of [{ password }, { email, username: 'either', password }]) {
      isProblem(t, await api.post('/auth/login', body), 'validation', { fields })
    }
  })

  for (const [reason, body, code, options] of malformedBodies({
    email: 'jo@example.com',
    password: 'gurgling turnip rain',
  })) {
    await t.test(`refuses ${reason}`, async (t) => {
      isProblem(t, await api.post('/auth/login', body as object), code, options)
    })
  }

  await t.test('refuses empty members, forms and broken JSON', async (t) => {
    isProblem(t, await api.post('/auth/login', { email: '', password: '' }), 'validation', {
      fields: [
        { field: 'email', message: 'must not be empty' },
        { field: 'password', message: 'must not be empty' },
      ],
    })
    const send = (type: string, payload: string) =>
      api.request({
        method: 'POST',
        url: '/auth/login',
        headers: { 'content-type': type },
        payload,
      })
    const form = await send('application/x-www-form-urlencoded', 'email=a&password=b')
    isProblem(t, form, 'unsupported_media_type')
    const broken = await send('application/json', '{"email":')
    isProblem(t, broken, 'malformed_body', { detail: 'The body is not valid JSON' })
  })

  await t.test('ends the oldest session when there are too many', async (t) => {
    const limited = await startApi(t, { SESSIONS_PER_USER: '2' })
    const first = await limited.join()
    const second = await limited.signIn(first)
    const third = await limited.signIn(first)
    isProblem(t, await limited.get('/auth/me', first.token), 'revoked_token')
    for (const { token } of [second, third]) {
      t.equal((await limited.get('/auth/me', token)).status, 200)
    }
    const { details } = await limited.eventOf(first.id, 'session.ended')
    t.strictSame(details, { reason: 'too_many_sessions' })
  })
})
