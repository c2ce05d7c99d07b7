import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Test, test } from 'tap'
import { createClientKeys } from '../../src/clients/client-keys.ts'
import { defaultClientSettings } from '../../src/clients/client-settings.ts'
import { createOutbound } from '../../src/outbound/outbound.ts'

const one = { kty: 'oct', kid: 'one' }
const two = { kty: 'oct', kid: 'two' }

/** A client's own server, which publishes what the test wants. */
const startPublisher = async (t: Test) => {
  const published = { keys: [one] as unknown, status: 200, requests: 0 }
  const server = createServer((_request, response) => {
    published.requests += 1
    response.writeHead(published.status, { 'content-type': 'application/jwk-set+json' })
    response.end(JSON.stringify({ keys: published.keys }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  return { published, jwksUri: `http://127.0.0.1:${port}/jwks.json` }
}

const open = async (t: Test) => {
  const { published, jwksUri } = await startPublisher(t)
  let uptime = 0
  const failures: string[] = []
  const keys = createClientKeys({
    outbound: createOutbound({ allowedHosts: [], privateHosts: ['127.0.0.1'] }),
    uptimeMs: () => uptime,
    onFailure: (_url, reason) => failures.push(reason),
  })
  const settings = { ...defaultClientSettings, jwksUri }
  const find = (kid?: string) =>
    keys.find({ settings }, kid === undefined ? undefined : (key) => key.kid === kid)
  const wait = (seconds: number) => {
    uptime += seconds * 1000
  }
  return { published, find, wait, failures }
}

test('registered keys are the keys, and a client without any has none', async (t) => {
  const outbound = createOutbound({ allowedHosts: [], privateHosts: [] })
  const keys = createClientKeys({ outbound })
  const jwks = { keys: [one] }
  t.strictSame(await keys.find({ settings: { ...defaultClientSettings, jwks } }), [one])
  t.strictSame(await keys.find({ settings: defaultClientSettings }), [])
})

test('published keys are fetched once by all who ask, and again after five minutes', async (t) => {
  const { published, find, wait } = await open(t)
  const found = await Promise.all(Array.from({ length: 20 }, () => find('one')))
  for (const keys of found) t.strictSame(keys, [one])
  t.equal(published.requests, 1)
  published.keys = [two]
  wait(299)
  t.strictSame(await find('one'), [one])
  wait(2)
  t.strictSame(await find('two'), [two])
  t.equal(published.requests, 2)
})

test('for a key that is not there they are fetched again, at most every ten seconds', async (t) => {
  const { published, find, wait } = await open(t)
  t.strictSame(await find('one'), [one])
  published.keys = [one, two]
  t.strictSame(await find('two'), [one], 'nobody can make us ask again and again')
  t.equal(published.requests, 1)
  wait(11)
  t.strictSame(await find('two'), [one, two])
  for (let index = 0; index < 20; index += 1) await find(`unknown ${index}`)
  t.equal(published.requests, 2)
})

test('while they cannot be fetched those that are known hold for an hour', async (t) => {
  const { published, find, wait, failures } = await open(t)
  await find('one')
  published.status = 503
  wait(3599)
  t.strictSame(await find('one'), [one])
  wait(2)
  t.strictSame(await find('one'), [])
  wait(11)
  published.status = 200
  t.strictSame(await find('one'), [one])
  t.strictSame(failures, ['wrong_status'])
})

test('what is no key set is none, and what is no key is passed over', async (t) => {
  for (const keys of [undefined, null, 'keys', {}, 1]) {
    const { published, find, failures } = await open(t)
    published.keys = keys
    t.strictSame(await find('one'), [])
    t.strictSame(failures, ['not_a_key_set'])
  }
  const { published, find } = await open(t)
  published.keys = [null, 1, 'key', [], {}, { kty: 'new', x: 1 }, one]
  t.strictSame(await find('one'), [{ kty: 'new', x: 1 }, one])
})

test('of an endless key set fifty are looked at', async (t) => {
  const { published, find } = await open(t)
  published.keys = Array.from({ length: 200 }, (_, index) => ({ kty: 'oct', kid: `${index}` }))
  t.equal((await find('0')).length, 50)
})
