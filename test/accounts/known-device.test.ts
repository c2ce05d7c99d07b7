import { createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'tap'
import { createKnownDevices, deviceLifetimeSeconds } from '../../src/accounts/known-device.ts'

const keys = new Map(
  [1, 2].map((number) => [number, createSecretKey(Buffer.alloc(32, `key ${number}`))]),
)

const missing = (): never => {
  throw new TypeError('there is no such key')
}

/** @param current number of the key that signs; both verify */
const start = (current = 1) => {
  const macKeys = {
    current: () => ({ number: current, key: keys.get(current) ?? missing() }),
    find: async (number: number) => keys.get(number),
  }
  let now = Date.parse('2026-01-01T00:00:00Z')
  const devices = createKnownDevices(macKeys, () => new Date(now))
  return {
    ...devices,
    pass: (seconds: number) => {
      now += seconds * 1000
    },
  }
}

const jo = { email: 'jo@example.com', username: 'jo_doe' }

test('a device is known by both names of its account, in any spelling, and by no other', async (t) => {
  const { remember, recognise } = start()
  const kept = await remember(jo, undefined)
  const id = await recognise(kept, { email: jo.email })
  t.type(id, 'string')
  t.equal(await recognise(kept, { email: ' JO@Example.com' }), id)
  t.equal(await recognise(kept, { username: 'JO_DOE' }), id)
  for (const name of [
    { email: 'al@example.com' },
    { username: 'jo@example.com' },
    { email: 'jo_doe' },
    { username: '' },
  ]) {
    t.equal(await recognise(kept, name), undefined)
  }
  t.equal(await recognise(undefined, { email: jo.email }), undefined)
})

test('what a device keeps does not tell the names', async (t) => {
  const kept = await start().remember(jo, undefined)
  t.match(kept, /^[\w-]+\.[\w-]+$/)
  const text = Buffer.from(kept, 'base64url').toString('latin1')
  t.notMatch(text, /jo|example|doe/)
})

test('a device stays the same one over sign-ins, and is another for another account', async (t) => {
  const { remember, recognise, pass } = start()
  const first = await remember(jo, undefined)
  pass(1)
  const again = await remember(jo, first)
  t.not(again, first)
  const idOf = (kept: string, email: string) => recognise(kept, { email })
  t.equal(await idOf(again, jo.email), await idOf(first, jo.email))
  const other = await remember({ email: 'al@example.com', username: null }, again)
  t.equal(await idOf(other, jo.email), undefined)
  t.not(await idOf(other, 'al@example.com'), await idOf(first, jo.email))
})

test('a device is forgotten half a year after the last sign-in', async (t) => {
  const { remember, recognise, pass } = start()
  const kept = await remember(jo, undefined)
  pass(deviceLifetimeSeconds - 1)
  t.ok(await recognise(kept, { email: jo.email }))
  pass(1)
  t.equal(await recognise(kept, { email: jo.email }), undefined)
})

test('a device is known after a rotation of the keys', async (t) => {
  const kept = await start(1).remember(jo, undefined)
  t.ok(await start(2).recognise(kept, { email: jo.email }))
})

test('nothing else is taken for a known device', async (t) => {
  const { remember, recognise } = start()
  const kept = await remember({ ...jo, username: null }, undefined)
  const isKnown = async (text: string) => (await recognise(text, { email: jo.email })) !== undefined
  for (let index = 0; index < kept.length; index += 1) {
    const changed = `${kept.slice(0, index)}${kept[index] === 'A' ? 'B' : 'A'}${kept.slice(index + 1)}`
    t.equal(await isKnown(changed), false)
  }
  await fc.assert(fc.asyncProperty(fc.string(), async (text) => !(await isKnown(text))))
})
