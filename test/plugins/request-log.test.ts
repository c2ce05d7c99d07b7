import fc from 'fast-check'
import t from 'tap'
import { createLogger } from '../../src/plugins/logger.ts'
import { createTestServer, type LogLine } from './test-server.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const server = createTestServer(t, (scope) => {
  scope.get('/things/:id', async () => ({ ok: true }))
  scope.get('/health/live', async () => ({}))
  scope.post('/things', async () => ({}))
})

const requestLines = (log: readonly LogLine[]) => log.filter(({ msg }) => msg === 'request')

t.test(
  'a request leaves one line, with the pattern of its route and nothing of its query',
  async (t) => {
    const { app, log } = await server
    log.length = 0

    const answer = await app.inject({
      url: '/things/secret-1?token=secret-2',
      headers: {
        authorization: 'Bearer secret-3',
        cookie: 'sid=secret-4',
        'x-request-id': 'Req_1.a-b',
      },
    })

    t.equal(answer.headers['x-request-id'], 'Req_1.a-b')
    t.equal(log.length, 1)
    const [{ time, milliseconds, ...line } = {}] = log
    t.same(line, {
      level: 'info',
      requestId: 'Req_1.a-b',
      method: 'GET',
      route: '/things/:id',
      status: 200,
      address: '127.0.0.1',
      msg: 'request',
    })
    t.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    t.type(milliseconds, 'number')
    t.notMatch(JSON.stringify(log), /secret/)
  },
)

t.test('a refused request leaves one line too, with the code of its error', async (t) => {
  const { app, log } = await server
  log.length = 0
  await app.inject({
    method: 'POST',
    url: '/things',
    payload: '{"password":"secret"',
    headers: { 'content-type': 'application/json' },
  })
  await app.inject('/nowhere/secret')
  await app.inject('/%zz')
  t.match(requestLines(log), [
    { route: '/things', status: 400, code: 'malformed_body' },
    { route: null, status: 404, code: 'not_found' },
    { route: null, status: 400, code: 'malformed_request' },
  ])
  t.equal(log.length, 3)
  t.notMatch(JSON.stringify(log), /secret/)
})

t.test('probes of the health are logged at level debug', async (t) => {
  const { app, log } = await server
  log.length = 0
  await app.inject('/health/live')
  t.match(log, [{ level: 'debug', route: '/health/live' }])
})

for (const given of ['a', '0123-ABC_x.y', 'x'.repeat(128)]) {
  t.test(`a plain request id of ${given.length} characters is kept`, async (t) => {
    const { app } = await server
    const answer = await app.inject({ url: '/things/1', headers: { 'x-request-id': given } })
    t.equal(answer.headers['x-request-id'], given)
  })
}

for (const given of ['', 'a b', 'x'.repeat(129), 'a"b', 'ä', '{}', 'a,b']) {
  t.test(`the request id "${given.slice(0, 10)}" is replaced by a fresh one`, async (t) => {
    const { app } = await server
    const answer = await app.inject({ url: '/things/1', headers: { 'x-request-id': given } })
    t.match(answer.headers['x-request-id'], uuid)
  })
}

t.test('answers to requests that reach no route carry a request id as well', async (t) => {
  const { app } = await server
  for (const url of ['/nowhere', '/%zz', `/${'x'.repeat(9000)}`]) {
    const answer = await app.inject({ url, headers: { 'x-request-id': 'r1' } })
    t.equal(answer.headers['x-request-id'], 'r1')
    t.match(answer.json(), { request_id: 'r1' })
  }
})

t.test('secrets that slip into an object that is logged are masked', async (t) => {
  const secret = fc.string({ minLength: 8, maxLength: 20, unit: fc.constantFrom(...'abcdefgh') })
  const name = fc.constantFrom(
    'password',
    'access_token',
    'refresh_token',
    'client_secret',
    'authorization',
    'cookie',
  )
  fc.assert(
    fc.property(secret, name, (value, key) => {
      const lines: string[] = []
      const logger = createLogger('info', { write: (line) => lines.push(line) })
      logger.info({ [key]: value, body: { [key]: value }, request: { headers: { [key]: value } } })
      t.notOk(lines.join('').includes(value))
    }),
  )
})

t.test('of an error only type, message, code, stack and causes are logged', async (t) => {
  const lines: string[] = []
  const logger = createLogger('info', { write: (line) => lines.push(line) })
  const cause = Object.assign(new Error('duplicate key'), {
    code: '23505',
    detail: 'Key (email)=(a@b.c)',
  })
  logger.error({ err: new Error('outer', { cause }) })
  const { err } = JSON.parse(lines.join(''))
  t.match(err, {
    type: 'Error',
    message: 'outer',
    cause: { message: 'duplicate key', code: '23505' },
  })
  t.notMatch(lines.join(''), /a@b\.c/)
})
