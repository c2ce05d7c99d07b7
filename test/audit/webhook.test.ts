import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { type Test, test } from 'tap'
import type { Alert } from '../../src/audit/alert.ts'
import { postWebhook, signAlert } from '../../src/audit/webhook.ts'

const alert: Alert = {
  id: 'a2f3c1de-0001-4000-8000-00000000beef',
  rule: 'refresh_reuse',
  raisedAt: new Date('2026-01-02T03:04:05.678Z'),
  facts: {
    count: 1,
    first_at: '2026-01-02T03:04:04.000Z',
    last_at: '2026-01-02T03:04:04.000Z',
    type: 'family.reused',
    actor: 'app',
    subject: 'user',
    client_id: 'app',
    session_id: null,
    family_id: null,
    request_id: 'r1',
    address: '192.0.2.1',
    user_agent: 'Prüfer/1',
  },
}
const keys = [Buffer.alloc(32, 1), Buffer.alloc(24, 2)]
const now = new Date('2026-01-02T03:04:06.999Z')
const message = signAlert(alert, 'https://auth.example', keys, now)

test('webhook: a message has the form of Standard Webhooks, signed with every key', async (t) => {
  t.strictSame(JSON.parse(message.body), {
    type: 'alert.raised',
    timestamp: '2026-01-02T03:04:05.678Z',
    data: {
      issuer: 'https://auth.example',
      rule: 'refresh_reuse',
      severity: 'critical',
      ...alert.facts,
    },
  })
  const signed = `${alert.id}.1767323046.${message.body}`
  const signatures = keys.map(
    (key) => `v1,${createHmac('sha256', key).update(signed, 'utf8').digest('base64')}`,
  )
  t.strictSame(message.headers, {
    'content-type': 'application/json',
    'user-agent': 'Tessera',
    'webhook-id': alert.id,
    'webhook-timestamp': '1767323046',
    'webhook-signature': signatures.join(' '),
  })
})

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A receiver on loopback. */
const receive = async (t: Test, answer: Answer): Promise<URL> => {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?a=b`)
}

const never = new AbortController().signal
const post = (url: URL, timeoutMs = 2000, stop = never) =>
  postWebhook(url, message, timeoutMs, stop)

test('webhook: a receiver that answers 2xx has taken it, byte for byte', async (t) => {
  const received: unknown[] = []
  const url = await receive(t, async (request, response) => {
    received.push([request.method, request.url, await text(request)])
    received.push(request.headers['webhook-signature'])
    response.writeHead(204).end()
  })
  t.strictSame(await post(url), { delivered: true })
  t.strictSame(received, [
    ['POST', '/hook?a=b', message.body],
    message.headers['webhook-signature'],
  ])
})

test('webhook: no redirect is followed', async (t) => {
  let led = 0
  const elsewhere = await receive(t, (_request, response) => {
    led += 1
    response.end()
  })
  for (const status of [301, 302, 303, 307, 308]) {
    const url = await receive(t, (_request, response) => {
      response.writeHead(status, { location: elsewhere.href }).end()
    })
    t.strictSame(await post(url), {
      delivered: false,
      reason: `the receiver answered ${status}`,
    })
  }
  t.equal(led, 0)
})

test('webhook: any other answer is none', async (t) => {
  for (const status of [400, 404, 410, 429, 500, 503]) {
    const url = await receive(t, (_request, response) => void response.writeHead(status).end('no'))
    t.strictSame(await post(url), { delivered: false, reason: `the receiver answered ${status}` })
  }
})

const late = { delivered: false, reason: 'the receiver did not answer in time' }

test('webhook: a receiver that hangs is given up in time', async (t) => {
  const silent = await receive(t, () => {})
  const started = performance.now()
  t.strictSame(await post(silent, 200), late)
  t.ok(performance.now() - started < 2000)

  const tcp = createTcpServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  t.teardown(() => tcp.close())
  const { port } = tcp.address() as AddressInfo
  t.strictSame(await post(new URL(`http://127.0.0.1:${port}/`), 200), late)
  t.match(await post(new URL(`https://127.0.0.1:${port}/`), 200), late, 'amid the TLS handshake')
})

test('webhook: an answer of 100 MB is not read', async (t) => {
  let sent = 0
  const closed = Promise.withResolvers<void>()
  const url = await receive(t, (_request, response) => {
    response.writeHead(200)
    const chunk = Buffer.alloc(1_000_000)
    const pump = (): void => {
      while (sent < 100_000_000 && !response.destroyed) {
        sent += chunk.length
        if (!response.write(chunk)) return void response.once('drain', pump)
      }
      response.end()
    }
    response.on('close', () => closed.resolve())
    pump()
  })
  const before = process.memoryUsage().arrayBuffers
  t.strictSame(await post(url), { delivered: true })
  await closed.promise
  t.ok(sent < 50_000_000, `${sent} bytes were sent`)
  t.ok(process.memoryUsage().arrayBuffers - before < 50_000_000)
})

test('webhook: nobody there, and being told to stop, are outcomes, not errors', async (t) => {
  const refused = await post(new URL('http://127.0.0.1:1/'))
  t.strictSame(refused, {
    delivered: false,
    reason: 'the receiver could not be reached (ECONNREFUSED)',
  })
  const stop = new AbortController()
  const silent = await receive(t, () => stop.abort())
  t.match(await post(silent, 60_000, stop.signal), { delivered: false })
})
