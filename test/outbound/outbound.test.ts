import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type Test, test } from 'tap'
import { createOutbound, type OutboundRequest } from '../../src/outbound/outbound.ts'
import { createCertificate } from '../support/client-certificates.ts'
import { waitUntil } from '../support/wait-until.ts'

/** A server of somebody else, on loopback. @returns its base URL, and what it was asked */
const startServer = async (t: Test, answer: RequestListener) => {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port, requests }
}

const json = { 'content-type': 'application/json; charset=utf-8' }
const asked = (url: string): OutboundRequest => ({ url, mediaTypes: ['application/json'] })
const open = (timeoutMs = 2000) =>
  createOutbound({ allowedHosts: [], privateHosts: ['127.0.0.1'], timeoutMs })

test('a document is fetched, a message is posted, and what they say of us is little', async (t) => {
  const seen: unknown[] = []
  const { url } = await startServer(t, async (request, response) => {
    const { 'user-agent': userAgent, accept, 'content-type': type, cookie } = request.headers
    let body = ''
    for await (const chunk of request) body += String(chunk)
    seen.push({ method: request.method, userAgent, accept, type, cookie, body })
    response.writeHead(200, json).end('{"keys":[]}')
  })
  const outbound = open()
  t.strictSame(await outbound.send(asked(`${url}/jwks?x=1`)), {
    ok: true,
    status: 200,
    body: Buffer.from('{"keys":[]}'),
  })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  t.strictSame(await outbound.send({ url, method: 'POST', headers, body: 'a=b' }), {
    ok: true,
    status: 200,
    body: Buffer.alloc(0),
  })
  const nothing = { accept: undefined, type: undefined, cookie: undefined }
  t.strictSame(seen, [
    { ...nothing, method: 'GET', userAgent: 'Tessera', accept: 'application/json', body: '' },
    {
      ...nothing,
      method: 'POST',
      userAgent: 'Tessera',
      ...{ type: headers['content-type'] },
      body: 'a=b',
    },
  ])
})

test('an answer that is not what was asked for is refused, each for its reason', async (t) => {
  const { url } = await startServer(t, (request, response) => {
    const answers: Record<string, () => void> = {
      '/moved': () => response.writeHead(302, { location: `${url}/fine` }).end(),
      '/kept': () => response.writeHead(308, { location: `${url}/fine` }).end(),
      '/missing': () => response.writeHead(404, json).end('{}'),
      '/html': () => response.writeHead(200, { 'content-type': 'text/html' }).end('{}'),
      '/untyped': () => response.writeHead(200).end('{}'),
      '/zipped': () => response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end('x'),
      '/large': () => response.writeHead(200, json).end('x'.repeat(65_537)),
      '/largest': () => response.writeHead(200, json).end('x'.repeat(65_536)),
      '/headers': () => response.writeHead(200, { ...json, x: 'x'.repeat(20_000) }).end('{}'),
      '/cut': () => {
        response.writeHead(200, { ...json, 'content-length': '10' }).write('x')
        response.destroy()
      },
    }
    answers[request.url ?? '']?.()
  })
  const outbound = open()
  const refusals = {
    '/moved': { ok: false, reason: 'wrong_status', status: 302 },
    '/kept': { ok: false, reason: 'wrong_status', status: 308 },
    '/missing': { ok: false, reason: 'wrong_status', status: 404 },
    '/html': { ok: false, reason: 'wrong_media_type' },
    '/untyped': { ok: false, reason: 'wrong_media_type' },
    '/zipped': { ok: false, reason: 'wrong_media_type' },
    '/large': { ok: false, reason: 'too_large' },
    '/headers': { ok: false, reason: 'unreachable' },
    '/cut': { ok: false, reason: 'unreachable' },
  }
  for (const [path, refusal] of Object.entries(refusals)) {
    t.strictSame(await outbound.send(asked(url + path)), refusal, path)
  }
  t.equal((await outbound.send(asked(`${url}/largest`))).ok, true)
  const nobody = await outbound.send(asked('http://127.0.0.1:1/'))
  t.strictSame(nobody, { ok: false, reason: 'unreachable' })
})

test('who is slow is left: before the headers, and drop by drop', async (t) => {
  const { url } = await startServer(t, (request, response) => {
    if (request.url === '/never') return
    response.writeHead(200, json)
    const timer = setInterval(() => response.write(' '), 20)
    response.on('close', () => clearInterval(timer))
  })
  const outbound = open(300)
  for (const path of ['/never', '/drops']) {
    const started = performance.now()
    t.strictSame(await outbound.send(asked(url + path)), { ok: false, reason: 'too_slow' }, path)
    t.ok(performance.now() - started < 2000)
  }
})

test('a slow host is asked four times at once, and keeps nobody from the others', async (t) => {
  const slow = await startServer(t, () => {})
  const quick = await startServer(t, (_request, response) => {
    response.writeHead(200, json).end('{}')
  })
  const outbound = open(1000)
  const waiting = Array.from({ length: 4 }, () => outbound.send(asked(slow.url)))
  await waitUntil('four requests', () => slow.requests.length === 4)
  t.strictSame(await outbound.send(asked(slow.url)), { ok: false, reason: 'busy' })
  t.equal((await outbound.send(asked(quick.url))).ok, true)
  for (const outcome of await Promise.all(waiting)) {
    t.strictSame(outcome, { ok: false, reason: 'too_slow' })
  }
  t.strictSame(
    await outbound.send(asked(slow.url)),
    { ok: false, reason: 'too_slow' },
    'free again',
  )
})

test('a host whose certificate nobody has vouched for is not asked', async (t) => {
  const { x509, privateKey } = createCertificate('127.0.0.1', { names: { ip: [127, 0, 0, 1] } })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' })
  let requests = 0
  const server = createSecureServer({ cert: x509.toString(), key }, (_request, response) => {
    requests += 1
    response.writeHead(200, json).end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const outcome = await open().send(asked(`https://127.0.0.1:${port}/`))
  t.strictSame(outcome, { ok: false, reason: 'unreachable' })
  t.equal(requests, 0)
})
