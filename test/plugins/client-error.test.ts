import { connect } from 'node:net'
import t from 'tap'
import { createTestServer, listen, parseAnswer, sendBytes } from './test-server.ts'

const server = createTestServer(t, (scope) => {
  scope.get('/', async () => ({ ok: true }))
  scope.post('/', async () => ({ ok: true }))
})

const host = 'Host: x\r\n'
const refused: Record<string, { bytes: string | Buffer; status: number; code: string }> = {
  'what is not HTTP': { bytes: 'hello\r\n\r\n', status: 400, code: 'malformed_request' },
  'a TLS handshake': {
    bytes: Buffer.from('16030100a5010000a10303', 'hex'),
    status: 400,
    code: 'malformed_request',
  },
  'a bad header': {
    bytes: `GET / HTTP/1.1\r\n${host}a b: c\r\n\r\n`,
    status: 400,
    code: 'malformed_request',
  },
  'a NUL in a header': {
    bytes: `GET / HTTP/1.1\r\n${host}a: \0\r\n\r\n`,
    status: 400,
    code: 'malformed_request',
  },
  'a length and chunks at once, as in request smuggling': {
    bytes: `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    status: 400,
    code: 'malformed_request',
  },
  'two different lengths': {
    bytes: `POST / HTTP/1.1\r\n${host}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`,
    status: 400,
    code: 'malformed_request',
  },
  'headers over 16 kB': {
    bytes: `GET / HTTP/1.1\r\n${host}a: ${'x'.repeat(20_000)}\r\n\r\n`,
    status: 431,
    code: 'headers_too_large',
  },
}

for (const [name, { bytes, status, code }] of Object.entries(refused)) {
  t.test(
    `the connection is answered in the format of all errors and closed: ${name}`,
    async (t) => {
      const { app } = await server
      const answer = parseAnswer(await sendBytes(app, bytes))
      t.equal(answer.status, status)
      const { request_id: requestId, ...body } = JSON.parse(answer.body)
      t.match(body, { type: `urn:tessera:problem:${code}`, code, status })
      t.match(answer.headers, {
        'content-type': 'application/problem+json; charset=utf-8',
        'content-length': String(Buffer.byteLength(answer.body)),
        'x-request-id': requestId,
        connection: 'close',
      })
    },
  )
}

t.test('an address over 8192 characters is 414, and the connection lives on', async (t) => {
  const { app } = await server
  const long = await app.inject(`/?${'x'.repeat(8192)}`)
  t.equal(long.statusCode, 414)
  t.match(long.json(), { code: 'uri_too_long' })
  t.equal((await app.inject(`/?${'x'.repeat(8190)}`)).statusCode, 200)
})

t.test('a request that does not arrive in time is 408', async (t) => {
  const { app } = await createTestServer(t, (scope) => scope.post('/', async () => ({})), {
    requestTimeoutMs: 200,
  })
  const head = `POST / HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: 10`
  const answer = parseAnswer(await sendBytes(app, `${head}\r\n\r\nabc`))
  t.equal(answer.status, 408)
  t.match(JSON.parse(answer.body), { code: 'request_timeout' })
})

t.test('an answer that has begun is not written into', async (t) => {
  const { app } = await createTestServer(t, (scope) => {
    scope.get('/slow', async (_request, reply) => {
      reply.raw.writeHead(200, { 'content-length': '20' })
      reply.raw.write('0123456789')
      return reply.hijack()
    })
  })
  const { port } = await listen(app)
  const socket = connect(port, '127.0.0.1')
  socket.write(`GET /slow HTTP/1.1\r\n${host}\r\n`)
  socket.once('data', () => socket.write('not http\r\n\r\n'))
  const text = Buffer.concat(await socket.toArray()).toString()
  t.match(text, /^HTTP\/1\.1 200 OK/)
  t.notMatch(text, /malformed_request/)
})

t.test('a client that resets its connection does no harm', async (t) => {
  const { app } = await server
  const { port } = await listen(app)
  await new Promise<void>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(`POST / HTTP/1.1\r\n${host}Content-Length: 10\r\n\r\nabc`)
      socket.resetAndDestroy()
      socket.once('close', () => resolve())
    })
  })
  t.equal((await app.inject('/')).statusCode, 200)
})
