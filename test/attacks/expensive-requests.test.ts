import type { InjectOptions } from 'fastify'
import t from 'tap'
import { startService } from '../support/service.ts'

const { app } = await startService(t)

/** Processor time of the thread that answers everybody, whatever else the machine does. */
const busyMs = async (act: () => Promise<unknown>): Promise<number> => {
  const before = process.threadCpuUsage()
  await act()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1000
}

/** About what fits into the headers that Node.js takes. */
const long = 15_000
const bearer = (credentials: string): InjectOptions => ({
  url: '/auth/me',
  headers: { authorization: `Bearer ${credentials}` },
})
const post = (url: string, payload: object | string, headers = {}): InjectOptions => ({
  method: 'POST',
  url,
  headers: { 'content-type': 'application/json', ...headers },
  payload,
})
const form = (url: string, payload: string): InjectOptions =>
  post(url, payload, { 'content-type': 'application/x-www-form-urlencoded' })
// Unicode puts marks into order, by the classes that these two differ in.
const marks = `a${'\u0301\u0316'.repeat(15_000)}@example.com`
const password = 'violet kettle on the roof'

const requests: Record<string, InjectOptions> = {
  'an email of marks at sign-in': post('/auth/login', { email: marks, password }),
  'a username of marks at sign-in': post('/auth/login', { username: marks, password }),
  'a name of marks in the form': form('/auth/login-form', `password=x&username=${marks}`),
  'an email of marks at registration': post('/auth/register', { email: marks, password }),
  'a name of marks at registration': post('/auth/register', {
    ...{ email: 'jo@example.com', name: marks, password },
  }),
  'a password of marks': post('/auth/register', { email: 'jo@example.com', password: marks }),
  'white space in Accept': { url: '/', headers: { accept: `a${' '.repeat(long)}b` } },
  'commas in Accept': { url: '/', headers: { accept: ','.repeat(long) } },
  'semicolons in Accept': { url: '/', headers: { accept: `a${' ; '.repeat(long / 3)}b` } },
  'white space in Authorization': bearer(`${' '.repeat(long)}!`),
  'padding in Authorization': bearer(`a${'='.repeat(long)}a`),
  'dots in Authorization': bearer('a.'.repeat(long / 2)),
  'a header of brackets in a token': post('/auth/verify', {
    token: `${Buffer.from('['.repeat(30_000)).toString('base64url')}.e30.AA`,
  }),
  'white space in a content type': post('/auth/login', '{}', {
    'content-type': `application/json${' '.repeat(long)}x`,
  }),
  'backslashes in a content type': post('/auth/login', '{}', {
    'content-type': `application/json; a="${'\\'.repeat(long)}`,
  }),
  'tags in If-None-Match': {
    url: '/.well-known/jwks.json',
    headers: { 'if-none-match': 'W/"a",'.repeat(long / 6) },
  },
  'hops in X-Forwarded-For': post('/auth/login', '{}', {
    'x-forwarded-for': '192.0.2.1,'.repeat(long / 10),
  }),
  'segments in the address': { url: `/${'a/'.repeat(4000)}` },
  'lists in lists': post('/auth/login', `${'['.repeat(30_000)}${']'.repeat(30_000)}`),
  'thousands of unknown members': post(
    '/auth/login',
    Object.fromEntries(Array.from({ length: 6000 }, (_, index) => [`a${index}`, 1])),
  ),
  'thousands of texts that are none': post(
    '/auth/login',
    Array.from({ length: 3000 }, () => ({ '\0': '\0' })),
  ),
  'white space behind __proto__': post('/auth/login', `{"__proto__"${' '.repeat(60_000)}1}`),
  'thousands of parameters': form(
    '/token',
    Array.from({ length: 7000 }, (_, index) => `a${index}=1`).join('&'),
  ),
  'thousands of resources': form('/token', 'resource=a&'.repeat(5000)),
  'scopes without end': form(
    '/token',
    `grant_type=client_credentials&scope=${'a+'.repeat(30_000)}`,
  ),
}

// What the first request of all costs is not its sender's doing.
await app.inject(post('/auth/login', { email: 'jo@example.com', password }))
await app.inject(form('/auth/login-form', 'username=jo&password=x'))

for (const [what, request] of Object.entries(requests)) {
  t.test(`no single request keeps the service from all others: ${what}`, async (t) => {
    const ms = await busyMs(async () => {
      const { statusCode } = await app.inject(request)
      t.ok(statusCode < 500, `${statusCode}`)
    })
    t.ok(ms < 100, `${Math.round(ms)} ms`)
  })
}
