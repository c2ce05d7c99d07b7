import type { InjectOptions } from 'fastify'
import t from 'tap'
import { sendBytes } from '../plugins/test-server.ts'
import { register, startService } from '../support/service.ts'

// What people and programs put where it does not belong.
const { app, log } = await startService(t)
const person = await register(app)
const secrets = [person.access_token, person.refresh_token, person.password]

const requests: Record<string, (secret: string) => InjectOptions> = {
  'the query': (secret) => ({ url: `/auth/me?access_token=${encodeURIComponent(secret)}` }),
  'the query of an address that is none': (secret) => ({
    url: `/%ff?token=${encodeURIComponent(secret)}`,
  }),
  'an address that is none': (secret) => ({ url: `/${encodeURIComponent(secret)}%` }),
  'an address that leads nowhere': (secret) => ({ url: `/${encodeURIComponent(secret)}` }),
  'a parameter of an address': (secret) => ({
    method: 'DELETE',
    url: `/auth/sessions/${encodeURIComponent(secret)}`,
  }),
  'a parameter that is too long': (secret) => ({
    method: 'DELETE',
    url: `/auth/sessions/${encodeURIComponent(secret)}${'x'.repeat(100)}`,
  }),
  'an address below the API page': (secret) => ({
    url: `/docs/static/%5c${encodeURIComponent(secret)}`,
  }),
  'an address that is too long': (secret) => ({
    url: `/${'x'.repeat(9000)}?token=${encodeURIComponent(secret)}`,
  }),
  'the name of a member': (secret) => ({
    ...{ method: 'POST', url: '/auth/login', payload: { [secret]: 'x' } },
  }),
  'the name of a parameter': (secret) => ({
    ...{ method: 'POST', url: '/token', payload: `${encodeURIComponent(secret)}=1`.repeat(2) },
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  }),
  'a body that breaks off': (secret) => ({
    ...{ method: 'POST', url: '/auth/login', payload: `{"password":"${secret}` },
    headers: { 'content-type': 'application/json' },
  }),
  'the content type': (secret) => ({
    ...{ method: 'POST', url: '/auth/login', payload: '{}' },
    headers: { 'content-type': `application/${encodeURIComponent(secret)}` },
  }),
  'a header that nobody reads': (secret) => ({ url: '/', headers: { 'x-token': secret } }),
  'a cookie': (secret) => ({ url: '/', headers: { cookie: `token=${secret}` } }),
  'another scheme of Authorization': (secret) => ({
    url: '/auth/me',
    headers: { authorization: `Token ${encodeURIComponent(secret)}` },
  }),
  'the Authorization of a client': (secret) => ({
    ...{ method: 'POST', url: '/token', payload: 'grant_type=client_credentials' },
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Basic ${Buffer.from(`${encodeURIComponent(secret)}:x`).toString('base64')}`,
    },
  }),
  'the email at sign-in': (secret) => ({
    ...{ method: 'POST', url: '/auth/login', payload: { email: secret, password: 'x' } },
  }),
}

for (const [where, request] of Object.entries(requests)) {
  t.test(`a secret does not reach the log, not even at trace, from ${where}`, async (t) => {
    const before = log.length
    for (const secret of secrets) {
      const { statusCode } = await app.inject(request(secret))
      t.ok(statusCode < 500, `${statusCode}`)
    }
    const lines = log.slice(before).join('')
    t.match(lines, '"msg":"request"')
    for (const secret of secrets) {
      t.notOk(lines.includes(secret))
      t.notOk(lines.includes(encodeURIComponent(secret)))
    }
  })
}

t.test('nor from what is not HTTP', async (t) => {
  const before = log.length
  for (const secret of secrets) {
    await sendBytes(app, `${secret} / HTTP/1.1\r\nauthorization: ${secret}\r\n\r\n`)
  }
  const lines = log.slice(before).join('')
  t.match(lines, '"msg":"connection refused"')
  for (const secret of secrets) t.notOk(lines.includes(secret))
})
