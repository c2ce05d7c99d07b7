import { test } from 'tap'
import { startApi } from './api.ts'

test('POST /auth/login-form', async (t) => {
  const api = await startApi(t)
  const { email, password } = await api.join({ username: 'formal' })
  const send = (form: Record<string, string> | string, headers: Record<string, string> = {}) =>
    api.request({
      method: 'POST',
      url: '/auth/login-form',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      payload: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
    })

  await t.test('signs in as the Authorize button does it', async (t) => {
    const { status, headers, json } = await send(
      { grant_type: 'password', username: email, password, scope: 'account', client_id: 'x' },
      { authorization: 'Basic Og==', 'x-requested-with': 'XMLHttpRequest' },
    )
    t.equal(status, 200)
    t.equal(headers['cache-control'], 'no-store')
    const { access_token: token, refresh_token: refreshToken, ...rest } = json
    t.strictSame(rest, { token_type: 'Bearer', expires_in: 900, scope: 'account' })
    t.equal((await api.get('/auth/me', token)).status, 200)
    t.match(refreshToken, /^trt_/)
  })

  await t.test('takes an email address or a username, and needs no grant_type', async (t) => {
    for (const username of [email.toUpperCase(), 'FORMAL']) {
      t.equal((await send({ username, password })).status, 200)
    }
  })

  for (const [reason, form, error, description] of [
    [
      'a wrong password',
      { username: 'formal', password: 'another' },
      'invalid_grant',
      'The name or the password is wrong',
    ],
    [
      'an unknown name',
      { username: 'nobody', password },
      'invalid_grant',
      'The name or the password is wrong',
    ],
    [
      'another grant type',
      { grant_type: 'client_credentials', username: email, password },
      'unsupported_grant_type',
      'This form signs in by password',
    ],
    ['no name', { password }, 'invalid_request', 'username is required'],
    [
      'an empty password',
      { username: email, password: '' },
      'invalid_request',
      'password is required',
    ],
    [
      'a repeated parameter (RFC 6749 §3.2)',
      'username=a&username=b&password=c',
      'invalid_request',
      'username must not be repeated',
    ],
    ['a NUL', 'username=a%00b&password=c', 'invalid_request', 'The form is not valid UTF-8 text'],
  ] as const) {
    await t.test(`refuses ${reason} (RFC 6749 §5.2)`, async (t) => {
      const { status, headers, json } = await send(form)
      t.equal(status, 400)
      t.strictSame(json, { error, error_description: description })
      t.equal(headers['content-type'], 'application/json; charset=utf-8')
      t.equal(headers['cache-control'], 'no-store')
    })
  }

  await t.test('refuses a body that is no form', async (t) => {
    const { status, json } = await api.post('/auth/login-form', { username: email, password })
    t.equal(status, 415)
    t.equal(json.error, 'invalid_request')
  })
})
