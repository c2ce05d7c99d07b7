import type { lookup } from 'node:dns'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { type Test, test } from 'tap'
import { createOutbound } from '../../src/outbound/outbound.ts'

/** A server of this machine that must not be reached. @returns how often it was */
const startSecret = async (t: Test) => {
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    socket.destroy()
  })
  server.listen(0)
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  return { port, connections: () => connections }
}

type Answer = { readonly address: string; readonly family: 4 | 6 }

/** A name server that answers what an attacker wants, each time something else. */
const answering = (...answers: readonly Answer[][]) => {
  let turn = 0
  return ((_name: string, _options: unknown, done: (error: null, found: Answer[]) => void) => {
    const answer = answers[Math.min(turn, answers.length - 1)] ?? []
    turn += 1
    setImmediate(() => done(null, answer))
  }) as unknown as typeof lookup
}

const loopback: Answer = { address: '127.0.0.1', family: 4 }
const publicAddress: Answer = { address: '192.88.99.1', family: 4 }
const mediaTypes = ['application/json']
const nowhere = { allowedHosts: [], privateHosts: [] }

test('SSRF: no spelling of an address of this machine leads to it', async (t) => {
  const secret = await startSecret(t)
  const outbound = createOutbound(nowhere)
  const hosts = [
    ...['127.0.0.1', '127.1', '2130706433', '0x7f000001', '0177.0.0.1', '0', '0.0.0.0'],
    ...['[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]'],
    ...['localhost', 'LOCALHOST', 'localhost.', 'ip6-localhost'],
  ]
  for (const host of hosts) {
    for (const protocol of ['https', 'http']) {
      const url = `${protocol}://${host}:${secret.port}/jwks.json`
      const outcome = await outbound.send({ url, mediaTypes })
      // Names that not every machine knows.
      const isMaybeUnknown = ['ip6-localhost', 'localhost.'].includes(host)
      const refusals = isMaybeUnknown ? ['forbidden', 'unreachable'] : ['forbidden']
      t.ok(!outcome.ok && refusals.includes(outcome.reason), url)
    }
  }
  t.equal(secret.connections(), 0)
})

test('SSRF: a name that leads to this machine is not asked, nor one that does so among others', async (t) => {
  const secret = await startSecret(t)
  for (const found of [
    [loopback],
    [publicAddress, loopback],
    [{ address: '::1', family: 6 }],
    [],
  ]) {
    const resolve = answering(found as Answer[])
    const outbound = createOutbound({ ...nowhere, resolve })
    const url = `https://rebind.example:${secret.port}/`
    t.strictSame(await outbound.send({ url, mediaTypes }), { ok: false, reason: 'forbidden' })
  }
  t.equal(secret.connections(), 0)
})

test('SSRF: a name that changes between two requests is judged each time anew', async (t) => {
  const secret = await startSecret(t)
  const resolve = answering([publicAddress], [loopback])
  const outbound = createOutbound({ ...nowhere, timeoutMs: 200, resolve })
  const url = `https://rebind.example:${secret.port}/`
  await outbound.send({ url, mediaTypes })
  t.strictSame(await outbound.send({ url, mediaTypes }), { ok: false, reason: 'forbidden' })
  t.equal(secret.connections(), 0)
})

test('SSRF: http to a host that is named as private does not leave this machine', async (t) => {
  const resolve = answering([{ address: '10.0.0.1', family: 4 }])
  const outbound = createOutbound({ allowedHosts: [], privateHosts: ['app.internal'], resolve })
  const url = 'http://app.internal/'
  t.strictSame(await outbound.send({ url, mediaTypes }), { ok: false, reason: 'forbidden' })
})
