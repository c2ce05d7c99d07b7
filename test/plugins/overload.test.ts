import { once } from 'node:events'
import { connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { createLogger } from '../../src/plugins/logger.ts'
import { registerOverload } from '../../src/plugins/overload.ts'
import { createServer } from '../../src/plugins/server.ts'
import { startService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'
import { listen } from './test-server.ts'

const origin = 'https://app.example'

/** A server with one route that answers when it is told to, and one that is exempt. */
const startServer = async (
  t: Test,
  overload: Parameters<typeof registerOverload>[1],
): Promise<{ app: FastifyInstance; release(): void; waiting(): number; begun(): number }> => {
  const config = {
    issuer: 'https://issuer.example',
    corsOrigins: [origin],
    trustedProxies: [],
    bodyLimitBytes: 4096,
    requestTimeoutMs: 5000,
  }
  const app = createServer(config, createLogger('silent'))
  await registerOverload(app, overload)
  let waiting: (() => void)[] = []
  let begun = 0
  app.addHook('onRequest', async () => {
    begun += 1
  })
  app.post('/wait', () => new Promise((resolve) => waiting.push(() => resolve({}))))
  app.post('/token', { config: { errorFormat: 'oauth' } }, async () => ({}))
  app.get('/', async () => ({}))
  app.get('/health/live', { config: { rateLimit: false } }, async () => ({}))
  t.teardown(() => app.close())
  await app.ready()
  const release = (): void => {
    for (const answer of waiting) answer()
    waiting = []
  }
  return { app, release, waiting: () => waiting.length, begun: () => begun }
}

const never = { overloadEventLoopDelayMs: 0, overloadRequests: 1_000_000 }

const isShed = (t: Test, answer: Awaited<ReturnType<FastifyInstance['inject']>>): void => {
  const { statusCode, headers } = answer
  t.equal(statusCode, 503)
  t.equal(headers['retry-after'], '2')
  t.equal(headers['access-control-allow-origin'], origin)
  t.equal(headers['cache-control'], 'no-store')
  t.strictSame(answer.json(), {
    type: 'urn:tessera:problem:unavailable',
    title: 'The service cannot answer now',
    status: 503,
    code: 'unavailable',
    request_id: headers['x-request-id'],
  })
}

t.test(
  'past so many requests at once further ones are shed, until some are answered',
  async (t) => {
    const { app, release, waiting } = await startServer(t, { ...never, overloadRequests: 3 })
    const running = [1, 2, 3].map(() => app.inject({ method: 'POST', url: '/wait' }))
    await waitUntil('the requests', () => waiting() === 3)

    isShed(t, await app.inject({ url: '/', headers: { origin } }))
    const oauth = await app.inject({ method: 'POST', url: '/token' })
    t.equal(oauth.statusCode, 503)
    t.equal(oauth.json().error, 'temporarily_unavailable')
    t.equal((await app.inject('/health/live')).statusCode, 200, 'what is exempt is answered')

    release()
    for (const { statusCode } of await Promise.all(running)) t.equal(statusCode, 200)
    for (let index = 0; index < 10; index += 1) t.equal((await app.inject('/')).statusCode, 200)
  },
)

t.test('who hangs up gives the place back, whenever that is', async (t) => {
  const { app, release, waiting } = await startServer(t, { ...never, overloadRequests: 2 })
  const { port } = await listen(app)
  const head = 'POST /wait HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n'
  for (let round = 1; round <= 5; round += 1) {
    const sockets = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
    for (const socket of sockets) socket.write(head)
    await waitUntil('the requests', () => waiting() === 2 * round)
    t.equal((await app.inject('/')).statusCode, 503)
    for (const socket of sockets) {
      socket.destroy()
      await once(socket, 'close')
    }
    await waitUntil('the places', async () => (await app.inject('/')).statusCode === 200)
  }
  release()
})

t.test('slow senders take no place', async (t) => {
  const { app, begun } = await startServer(t, { ...never, overloadRequests: 1 })
  const { port } = await listen(app)
  const head = 'POST /wait HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n'
  const sockets = [1, 2, 3].map(() => connect(port, '127.0.0.1'))
  for (const socket of sockets) {
    await once(socket, 'connect')
    socket.write(`${head}content-length: 100\r\n\r\n{`)
  }
  await waitUntil('the requests', () => begun() === 3)
  t.equal((await app.inject('/')).statusCode, 200)
  for (const socket of sockets) socket.destroy()
})

t.test(
  'while the event loop is behind requests are shed, and when it has caught up they are not',
  async (t) => {
    const { app } = await startServer(t, { ...never, overloadEventLoopDelayMs: 100 })
    let busy = true
    const hog = (): void => {
      if (!busy) return
      const until = performance.now() + 400
      while (performance.now() < until);
      setTimeout(hog, 1)
    }
    t.teardown(() => {
      busy = false
    })
    hog()
    const shed = await waitUntil('the overload', async () => {
      const answer = await app.inject({ url: '/', headers: { origin } })
      return answer.statusCode === 503 && answer
    })
    isShed(t, shed)
    t.equal((await app.inject('/health/live')).statusCode, 200, 'what is exempt is answered')
    busy = false
    await waitUntil('the end of it', async () => (await app.inject('/')).statusCode === 200)
  },
)

t.test(
  'the service works on as many requests at once as it is told, and sheds the others',
  async (t) => {
    const { app } = await startService(t, { OVERLOAD_REQUESTS: '1', CORS_ORIGINS: origin })
    const payload = { email: 'somebody@example.com', password: 'wrong horse' }
    const signIn = () =>
      app.inject({ method: 'POST', url: '/auth/login', headers: { origin }, payload })
    const [first, ...others] = await Promise.all([signIn(), signIn(), signIn()])
    t.equal(first?.statusCode, 401)
    for (const answer of others) isShed(t, answer)
    t.equal((await signIn()).statusCode, 401, 'then there is room again')
  },
)
