import { test } from 'tap'
import type { Client } from '../../src/clients/client.ts'
import { createClientDirectory } from '../../src/clients/client-directory.ts'
import { Unavailable } from '../../src/oauth/unavailable.ts'
import { makeClient } from '../support/new-client.ts'
import { waitUntil } from '../support/wait-until.ts'

/** A directory over a store that counts its reads, can be down, and can be held up. */
const makeDirectory = (...clients: Client[]) => {
  const stored = new Map(clients.map((client) => [client.id, client]))
  const world = { reads: 0, down: false, uptimeMs: 0, gate: Promise.resolve() }
  const directory = createClientDirectory({
    store: {
      find: async (id) => {
        world.reads += 1
        const found = stored.get(id)
        await world.gate
        if (world.down) throw new Unavailable('down')
        return found
      },
    },
    uptimeMs: () => world.uptimeMs,
  })
  return { directory, world, stored }
}

const client = makeClient({ id: 'svc_a' })

test('a client that was read is not read again for half a minute', async (t) => {
  const { directory, world } = makeDirectory(client)
  t.equal(await directory.find('svc_a'), client)
  world.uptimeMs = 29_999
  t.equal(await directory.find('svc_a'), client)
  t.equal(world.reads, 1)
})

test('then it is read again while nobody waits', async (t) => {
  const { directory, world, stored } = makeDirectory(client)
  await directory.find('svc_a')
  const renamed = { ...client, name: 'renamed' }
  stored.set('svc_a', renamed)
  world.uptimeMs = 30_000
  t.equal(await directory.find('svc_a'), client)
  t.equal(world.reads, 2)
  await waitUntil('the new entry', async () => (await directory.find('svc_a')) === renamed)
  t.equal(world.reads, 2)
})

test('while the database is down an entry serves until it is a minute old', async (t) => {
  const { directory, world } = makeDirectory(client)
  await directory.find('svc_a')
  world.down = true
  world.uptimeMs = 60_000
  t.equal(await directory.find('svc_a'), client)
  world.uptimeMs = 60_001
  await t.rejects(directory.find('svc_a'), Unavailable)
  await t.rejects(directory.find('svc_b'), Unavailable)
  world.down = false
  t.equal(await directory.find('svc_a'), client)
})

test('a database that is down is asked at most once a second for an entry in use', async (t) => {
  const { directory, world } = makeDirectory(client)
  await directory.find('svc_a')
  world.down = true
  for (world.uptimeMs = 40_000; world.uptimeMs < 45_000; world.uptimeMs += 100) {
    await directory.find('svc_a')
  }
  t.equal(world.reads, 1 + 5)
})

test('who wants a fresher answer gets it, or learns that there is none', async (t) => {
  const { directory, world } = makeDirectory(client)
  await directory.find('svc_a')
  world.uptimeMs = 1000
  await directory.find('svc_a', 1000)
  t.equal(world.reads, 1)
  world.uptimeMs = 1001
  await directory.find('svc_a', 1000)
  t.equal(world.reads, 2)
  world.uptimeMs = 3000
  world.down = true
  await t.rejects(directory.find('svc_a', 1000), Unavailable)
})

for (const [which, id] of Object.entries({ 'its client': 'svc_a', 'any client': undefined })) {
  test(`a hint about ${which} has an entry read again by who asks next`, async (t) => {
    const { directory, world, stored } = makeDirectory(client)
    await directory.find('svc_a')
    const renamed = { ...client, name: 'renamed' }
    stored.set('svc_a', renamed)
    world.uptimeMs = 500
    directory.invalidate(id)
    t.strictSame(await Promise.all([1, 2, 3].map(() => directory.find('svc_a'))), [
      renamed,
      renamed,
      renamed,
    ])
    t.equal(world.reads, 2)
  })
}

test('a hint while the database is down leaves what is known, until it is a minute old', async (t) => {
  const { directory, world } = makeDirectory(client)
  await directory.find('svc_a')
  directory.invalidate()
  world.down = true
  for (world.uptimeMs = 0; world.uptimeMs <= 60_000; world.uptimeMs += 100) {
    t.equal(await directory.find('svc_a'), client)
  }
  t.equal(world.reads, 1 + 61)
  await t.rejects(directory.find('svc_a'), Unavailable)
})

test('a read that began before a hint is not remembered', async (t) => {
  const { directory, world, stored } = makeDirectory(client)
  const gate = Promise.withResolvers<void>()
  world.gate = gate.promise
  const early = directory.find('svc_a')
  const renamed = { ...client, name: 'renamed' }
  stored.set('svc_a', renamed)
  directory.invalidate('svc_a')
  const late = directory.find('svc_a')
  gate.resolve()
  t.strictSame(await Promise.all([early, late]), [client, renamed])
  t.equal(await directory.find('svc_a'), renamed)
  t.equal(world.reads, 2)
})

test('those who ask at once share one read', async (t) => {
  const { directory, world } = makeDirectory(client)
  await Promise.all(Array.from({ length: 50 }, () => directory.find('svc_a')))
  t.equal(world.reads, 1)
})

test('that there is no such client is remembered for a second', async (t) => {
  const { directory, world, stored } = makeDirectory()
  t.equal(await directory.find('svc_a'), undefined)
  stored.set('svc_a', client)
  world.uptimeMs = 1000
  t.equal(await directory.find('svc_a'), undefined)
  t.equal(world.reads, 1)
  world.uptimeMs = 1001
  t.equal(await directory.find('svc_a'), client)
  directory.invalidate()
  stored.clear()
  t.equal(await directory.find('svc_a'), undefined)
})

test('a hint makes a client that was just created known', async (t) => {
  const { directory, stored } = makeDirectory()
  await directory.find('svc_a')
  stored.set('svc_a', client)
  directory.invalidate('svc_a')
  t.equal(await directory.find('svc_a'), client)
})

test('strangers can make it remember a thousand absent clients, not more', async (t) => {
  const { directory, world } = makeDirectory()
  for (let i = 0; i <= 1000; i += 1) await directory.find(`svc_${i}`)
  t.equal(world.reads, 1001)
  await directory.find('svc_1000')
  t.equal(world.reads, 1001)
  await directory.find('svc_0')
  t.equal(world.reads, 1002)
})

test('what cannot be an id is never looked up', async (t) => {
  const { directory, world } = makeDirectory()
  for (const id of ['', 'a b', '\0', '\ud800', 'x'.repeat(201)]) {
    t.equal(await directory.find(id), undefined)
  }
  t.equal(world.reads, 0)
})
