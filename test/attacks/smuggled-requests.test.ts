import t from 'tap'
import { sendBytes } from '../plugins/test-server.ts'
import { connect, register, startService } from '../support/service.ts'

// What a careless proxy before the service takes for one request must never be two here, nor the
// other way round: the second would run with somebody else's connection.
const service = await startService(t)
const { app, config } = service
const db = await connect(t, service)
const person = await register(app)

const host = 'Host: localhost\r\n'
const json = 'Content-Type: application/json\r\n'
const hiddenBody = JSON.stringify({ email: 'smuggled@example.com', password: 'kettle on the roof' })
/** Would create an account. */
const hidden = `POST /auth/register HTTP/1.1\r\n${host}${json}Content-Length: ${hiddenBody.length}\r\nConnection: close\r\n\r\n${hiddenBody}`
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`
const post = (path: string, headers: string, rest: string) =>
  `POST ${path} HTTP/1.1\r\n${host}${headers}\r\n${rest}`
const length = `Content-Length: ${hidden.length}\r\n`

const ambiguous: Record<string, string> = {
  'a length and chunks': post(
    '/auth/verify',
    `${json}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`,
    `0\r\n\r\n${hidden}`,
  ),
  'chunks and a length': post(
    '/auth/verify',
    `${json}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n`,
    `0\r\n\r\n${hidden}`,
  ),
  'two lengths': post('/auth/verify', `${json}Content-Length: 2\r\n${length}`, `{}${hidden}`),
  'the same length twice': post(
    '/auth/verify',
    `${json}Content-Length: 2\r\nContent-Length: 2\r\n`,
    `{}${hidden}`,
  ),
  'a length with a sign': post('/auth/verify', `${json}Content-Length: +2\r\n`, `{}${hidden}`),
  'a negative length': post('/auth/verify', `${json}Content-Length: -2\r\n`, hidden),
  'a length past all numbers': post(
    '/auth/verify',
    `${json}Content-Length: 18446744073709551618\r\n`,
    `{}${hidden}`,
  ),
  'a space before a colon': post(
    '/auth/verify',
    `${json}Transfer-Encoding : chunked\r\n`,
    `0\r\n\r\n${hidden}`,
  ),
  'an unknown encoding': post(
    '/auth/verify',
    `${json}Transfer-Encoding: xchunked\r\n`,
    `0\r\n\r\n${hidden}`,
  ),
  'chunks that are not last': post(
    '/auth/verify',
    `${json}Transfer-Encoding: chunked, identity\r\n`,
    `0\r\n\r\n${hidden}`,
  ),
  'a folded header': post(
    '/auth/verify',
    `${json}Transfer-Encoding:\r\n chunked\r\n`,
    `0\r\n\r\n${hidden}`,
  ),
  'a carriage return alone': post(
    '/auth/verify',
    `${json}X: a\rTransfer-Encoding: chunked\r\n`,
    `0\r\n\r\n${hidden}`,
  ),
  'line feeds alone': post('/auth/verify', json, hidden).replaceAll('\r\n', '\n'),
  'a chunk of no size': post(
    '/auth/verify',
    `${json}Transfer-Encoding: chunked\r\n`,
    `\r\n0\r\n\r\n${hidden}`,
  ),
}

// One request each, and none of ours: the bytes behind the headers are its body, read or not.
const bodies: Record<string, { bytes: string; status: number }> = {
  'a body that nobody reads, because the token is missing': {
    bytes: `PATCH /auth/me HTTP/1.1\r\n${host}${json}${length}Connection: close\r\n\r\n${hidden}`,
    status: 401,
  },
  'a body of an unknown address': { bytes: post('/nothing', json + length, hidden), status: 400 },
  'a body of a wrong kind': {
    bytes: post(
      '/auth/verify',
      `Content-Type: text/plain\r\n${length}Connection: close\r\n`,
      hidden,
    ),
    status: 415,
  },
  'a body over the limit': {
    bytes: post(
      '/auth/verify',
      `${json}Content-Length: ${config.bodyLimitBytes + hidden.length}\r\n`,
      'x'.repeat(config.bodyLimitBytes) + hidden,
    ),
    status: 413,
  },
  'a chunk over the limit': {
    bytes: post(
      '/auth/verify',
      `${json}Transfer-Encoding: chunked\r\nConnection: close\r\n`,
      chunk('x'.repeat(config.bodyLimitBytes + 1) + hidden),
    ),
    status: 413,
  },
  'the body of a GET': {
    bytes: `GET /health/live HTTP/1.1\r\n${host}${length}Connection: close\r\n\r\n${hidden}`,
    status: 200,
  },
}

const statusesOf = (answer: string): number[] =>
  [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))
const emails = async () =>
  (await db.selectFrom('users').select('email').execute()).map(({ email }) => email)

for (const [what, bytes] of Object.entries(ambiguous)) {
  t.test(
    `a request that can be read in two ways is refused, and the connection ends: ${what}`,
    async (t) => {
      const answer = await sendBytes(app, bytes)
      t.strictSame(statusesOf(answer), [400])
      t.match(answer, /connection: close/i)
      t.strictSame(await emails(), [person.email])
    },
  )
}

for (const [what, { bytes, status }] of Object.entries(bodies)) {
  t.test(`a request inside of another is not run: ${what}`, async (t) => {
    t.strictSame(statusesOf(await sendBytes(app, bytes)), [status])
    t.strictSame(await emails(), [person.email])
  })
}

t.test('alone, the hidden request is a good one', async (t) => {
  t.strictSame(statusesOf(await sendBytes(app, hidden)), [201])
  t.strictSame((await emails()).sort(), [person.email, 'smuggled@example.com'].sort())
})
