import { SocketAddress } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { originOf } from '../../src/plugins/request-origin.ts'
import { createTestServer } from './test-server.ts'

const ask = async (
  headers: Record<string, string>,
  { trustedProxies = [] as string[], remoteAddress = '198.51.100.7' } = {},
) => {
  const { app } = await createTestServer(
    t,
    (scope) => scope.get('/', async (request) => originOf(request)),
    { trustedProxies },
  )
  return (await app.inject({ url: '/', headers, remoteAddress })).json()
}

t.test('the origin is the peer, its user agent and the request id', async (t) => {
  t.same(await ask({ 'user-agent': 'curl/8', 'x-request-id': 'abc' }), {
    requestId: 'abc',
    address: '198.51.100.7',
    userAgent: 'curl/8',
  })
})

t.test('an IPv4 peer of a dual-stack socket is an IPv4 address', async (t) => {
  t.match(await ask({}, { remoteAddress: '::ffff:192.0.2.1' }), { address: '192.0.2.1' })
  t.match(await ask({}, { remoteAddress: '::ffff:c000:201' }), { address: '192.0.2.1' })
  t.match(await ask({}, { remoteAddress: '2001:db8::1' }), { address: '2001:db8::1' })
  t.match(await ask({}, { remoteAddress: '2001:DB8:0::1' }), { address: '2001:db8::1' })
})

t.test('whatever came before, the right-most stranger is the client', async (t) => {
  const { app } = await createTestServer(
    t,
    (scope) => scope.get('/', async (request) => ({ address: originOf(request).address })),
    { trustedProxies: ['198.51.100.0/24', '2001:db8:1::/48'] },
  )
  const ask = async (header: string) =>
    (
      await app.inject({
        ...{ url: '/', remoteAddress: '198.51.100.7' },
        headers: { 'x-forwarded-for': header },
      })
    ).json().address
  const trusted = fc.constantFrom('198.51.100.8', '2001:db8:1::5', '::ffff:198.51.100.9')
  const stranger = fc.oneof(fc.ipV4(), fc.ipV6()).filter((address) => !isTrusted(address))
  // What a header may hold, and what separates its values.
  const anything = fc.string({ unit: fc.constantFrom(...'0123456789abcdef.:,;[]% "_-x') })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(anything, fc.ipV4(), trusted), { maxLength: 5 }),
      stranger,
      fc.array(trusted, { maxLength: 4 }),
      async (claimed, client, proxies) => {
        t.equal(await ask([...claimed, client, ...proxies].join(', ')), spell(client))
      },
    ),
    { numRuns: 300 },
  )
})

const isTrusted = (address: string): boolean =>
  /^(::ffff:)?198\.51\.100\./i.test(spell(address)) || /^2001:db8:1:/.test(spell(address))

const spell = (address: string): string =>
  address.includes(':')
    ? new SocketAddress({ address, family: 'ipv6' }).address.replace(/^::ffff:(?=\d+\.)/, '')
    : address

const forwarded: Record<string, { header: string; trusted: string[]; address: string }> = {
  'without trusted proxies nothing counts but the peer': {
    header: '203.0.113.9',
    trusted: [],
    address: '198.51.100.7',
  },
  'a proxy that is not trusted may say what it likes': {
    header: '203.0.113.9',
    trusted: ['192.0.2.0/24'],
    address: '198.51.100.7',
  },
  'a trusted proxy names the client': {
    header: '203.0.113.9',
    trusted: ['198.51.100.0/24'],
    address: '203.0.113.9',
  },
  'of a chain the right-most stranger counts, not what that one claims': {
    header: '10.9.9.9, 203.0.113.9, 192.0.2.4',
    trusted: ['198.51.100.0/24', '192.0.2.4'],
    address: '203.0.113.9',
  },
  'what is no address is not believed': {
    header: 'garbage',
    trusted: ['198.51.100.0/24'],
    address: '198.51.100.7',
  },
  'a zone is not part of an address': {
    header: `fe80::1%${'z'.repeat(1000)}`,
    trusted: ['198.51.100.0/24'],
    address: 'fe80::1',
  },
  'nor is an address with a port': {
    header: '1.2.3.4:99',
    trusted: ['198.51.100.0/24'],
    address: '198.51.100.7',
  },
}

for (const [name, { header, trusted, address }] of Object.entries(forwarded)) {
  t.test(`X-Forwarded-For: ${name}`, async (t) => {
    const origin = await ask({ 'x-forwarded-for': header }, { trustedProxies: trusted })
    t.equal(origin.address, address)
  })
}

t.test('a user agent is cut to 256 characters, without control characters', async (t) => {
  const { userAgent } = await ask({ 'user-agent': `a\tb\x9bc${'x'.repeat(1000)}` })
  t.equal(userAgent, `abc${'x'.repeat(253)}`)
})
