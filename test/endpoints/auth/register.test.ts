import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { test } from 'tap'
import { isProblem, malformedBodies, newPassword, startApi } from './api.ts'

test('POST /auth/register', async (t) => {
  const api = await startApi(t, { DEFAULT_AUDIENCE: 'https://api.example' })

  await t.test('creates an account and signs it in', async (t) => {
    const { status, headers, json } = await api.post('/auth/register', {
      email: '  Jo.Doe@Example.com ',
      password: newPassword(),
      username: ' Jo_Doe ',
      name: ' Jo Doe ',
      given_name: ' Jo',
      family_name: 'Doe ',
    })
    t.equal(status, 201)
    t.equal(headers['cache-control'], 'no-store')
    const { access_token: token, refresh_token: refreshToken, user, ...rest } = json
    t.strictSame(rest, { token_type: 'Bearer', expires_in: 900, scope: 'account' })
    t.match(refreshToken, /^trt_/)
    const { created_at: createdAt, id } = user
    t.strictSame(user, {
      id,
      email: 'Jo.Doe@Example.com',
      username: 'Jo_Doe',
      name: 'Jo Doe',
      given_name: 'Jo',
      family_name: 'Doe',
      roles: ['user'],
      permissions: [],
      status: 'active',
      created_at: createdAt,
      updated_at: createdAt,
      last_login_at: createdAt,
    })
    t.equal(new Date(createdAt).toISOString(), createdAt)
    t.strictSame((await api.get('/auth/me', token)).json, user)
  })

  await t.test('gives tokens for this service and the default audience (RFC 9068)', async (t) => {
    const { token, id } = await api.join()
    const url = await api.app.listen({ host: '127.0.0.1', port: 0 })
    const jwks = createRemoteJWKSet(new URL('/.well-known/jwks.json', url))
    const { payload } = await jwtVerify(token, jwks, {
      issuer: 'http://localhost:4000',
      audience: 'https://api.example',
      typ: 'at+jwt',
    })
    const session = await api.db
      .selectFrom('sessions')
      .selectAll()
      .where('user_id', '=', id)
      .executeTakeFirstOrThrow()
    const family = await api.db
      .selectFrom('refresh_families')
      .selectAll()
      .where('user_id', '=', id)
      .executeTakeFirstOrThrow()
    const issuedAt = Math.floor(session.auth_time.getTime() / 1000)
    t.strictSame(payload, {
      iss: 'http://localhost:4000',
      sub: id,
      aud: ['http://localhost:4000', 'https://api.example'],
      client_id: 'first-party',
      scope: 'account',
      jti: payload.jti,
      iat: issuedAt,
      exp: issuedAt + 900,
      sid: session.id,
      fam: family.id,
      roles: ['user'],
      permissions: [],
      auth_time: issuedAt,
      amr: ['pwd'],
    })
    t.equal(decodeProtectedHeader(token).alg, 'RS256')
  })

  await t.test('needs no more than an email address and a password', async (t) => {
    const { user } = await api.join()
    const { username, name, given_name, family_name } = user
    t.strictSame([username, name, given_name, family_name], [null, null, null, null])
  })

  await t.test('takes the password exactly as typed (ASVS 5.0 6.2.8)', async (t) => {
    const password = '  Ünïcödé \t🦊 '
    const { email } = await api.join({ password })
    const login = (typed: string) => api.post('/auth/login', { email, password: typed })
    t.equal((await login(password)).status, 200)
    for (const other of [password.trim(), password.normalize('NFD'), password.toLowerCase()]) {
      t.equal((await login(other)).status, 401)
    }
  })

  await t.test('refuses an address or a username that is taken, however it is cased', async (t) => {
    const { email } = await api.join({ username: 'first-one' })
    const again = { email: email.toUpperCase(), password: newPassword() }
    isProblem(t, await api.post('/auth/register', again), 'email_taken')
    const sameName = { ...again, email: 'other@example.com', username: 'First-ONE' }
    isProblem(t, await api.post('/auth/register', sameName), 'username_taken')
    const rows = await api.db
      .selectFrom('users')
      .select('id')
      .where('email_key', 'in', [email, 'other@example.com'])
      .execute()
    t.equal(rows.length, 1)
  })

  await t.test('refuses common passwords, with a reason', async (t) => {
    const detail =
      'This password is among the first that others would try: choose a longer or less usual one, and not your name'
    for (const password of ['password123', 'jo.doe@nowhere.example']) {
      const answer = await api.post('/auth/register', { email: 'jo.doe@nowhere.example', password })
      isProblem(t, answer, 'password_too_common', { detail })
    }
  })

  await t.test('names every field that is wrong', async (t) => {
    const answer = await api.post('/auth/register', {
      email: 'nobody',
      password: newPassword(),
      username: 'a@b',
      name: ' ',
    })
    isProblem(t, answer, 'validation', {
      fields: [
        { field: 'email', message: 'must be an email address of at most 254 characters' },
        {
          field: 'username',
          message: 'must be 3 to 64 letters, digits, dots, hyphens or underscores',
        },
        { field: 'name', message: 'must be 1 to 200 characters' },
      ],
    })
    for (const [password, message] of [
      ['🦊'.repeat(7), 'must have at least 8 characters'],
      ['🦊'.repeat(257), 'must have at most 256 characters'],
    ]) {
      const short = await api.post('/auth/register', { email: 'jo@nowhere.example', password })
      isProblem(t, short, 'validation', { fields: [{ field: 'password', message: `${message}` }] })
    }
    isProblem(t, await api.post('/auth/register', {}), 'validation', {
      fields: [
        { field: 'email', message: 'is required' },
        { field: 'password', message: 'is required' },
      ],
    })
  })

  const good = {
    email: 'jo@nowhere.example',
    password: 'gurgling turnip rain',
    username: 'nowhere',
    name: 'Jo',
    given_name: 'Jo',
    family_name: 'Doe',
  }
  for (const [reason, body, code, options] of malformedBodies(good)) {
    await t.test(`refuses ${reason}`, async (t) => {
      isProblem(t, await api.post('/auth/register', body as object), code, options)
    })
  }

  await t.test('nothing was written by what was refused', async (t) => {
    const rows = await api.db
      .selectFrom('users')
      .select('id')
      .where('email_key', 'like', '%nowhere%')
      .execute()
    t.strictSame(rows, [])
  })

  await t.test('tells the audit log who came, from where', async (t) => {
    const { status, json, headers } = await api.request({
      method: 'POST',
      url: '/auth/register',
      headers: { 'user-agent': 'Test/2' },
      payload: { email: 'audited@example.com', password: newPassword() },
    })
    t.equal(status, 201)
    const event = await api.eventOf(json.user.id, 'user.created')
    t.match(event, {
      outcome: 'success',
      actor: json.user.id,
      request_id: headers['x-request-id'],
      address: '127.0.0.1',
      user_agent: 'Test/2',
      details: { roles: ['user'] },
    })
  })
})

test('POST /auth/register is refused where an administrator makes the accounts', async (t) => {
  const api = await startApi(t, { REGISTRATION: 'closed' })
  const answer = await api.post('/auth/register', {
    email: 'jo@example.com',
    password: newPassword(),
  })
  isProblem(t, answer, 'registration_closed')
  t.strictSame(await api.db.selectFrom('users').select('id').execute(), [])
})
