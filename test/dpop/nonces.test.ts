import { createSecretKey, randomBytes } from 'node:crypto'
import t from 'tap'
import { createDpopNonces } from '../../src/dpop/nonces.ts'
import { createCsrfTokens } from '../../src/secrets/csrf-token.ts'

const start = new Date('2026-11-20T12:00:00.250Z')
let now = start
const keys = new Map([1, 2].map((number) => [number, createSecretKey(randomBytes(32))] as const))
const keyOf = (number: number) => {
  const key = keys.get(number)
  if (key === undefined) throw new Error('no such key')
  return { number, key }
}
const macKeys = { current: () => keyOf(1), find: async (number: number) => keys.get(number) }
const nonces = createDpopNonces({ macKeys, clock: () => now })

const at = (seconds: number) => {
  now = new Date(start.getTime() + seconds * 1000)
}

t.test('a nonce says when it was made, to the millisecond', async (t) => {
  at(0)
  t.same(await nonces.timeOf(nonces.issue()), start)
})

t.test('a nonce is good for five minutes, beside newer ones', async (t) => {
  at(0)
  const nonce = nonces.issue()
  at(299)
  nonces.issue()
  t.same(await nonces.timeOf(nonce), start)
  at(300)
  t.equal(await nonces.timeOf(nonce), undefined)
})

t.test('that of a node whose clock is ahead is good', async (t) => {
  at(2)
  const nonce = nonces.issue()
  at(0)
  t.ok(await nonces.timeOf(nonce))
})

t.test('a new MAC key does not end the nonces of the one before', async (t) => {
  at(0)
  const nonce = nonces.issue()
  const rotated = createDpopNonces({
    macKeys: { ...macKeys, current: () => keyOf(2) },
    clock: () => now,
  })
  t.same(await rotated.timeOf(nonce), start)
  t.same(await nonces.timeOf(rotated.issue()), start)
})

t.test('whatever we did not make as a nonce is none', async (t) => {
  at(0)
  const nonce = nonces.issue()
  const bytes = Buffer.from(nonce, 'base64url')
  for (const [index, byte] of bytes.entries()) {
    const changed = Buffer.from(bytes)
    changed[index] = byte ^ 1
    t.equal(await nonces.timeOf(changed.toString('base64url')), undefined, `byte ${index}`)
  }
  const other = createCsrfTokens(macKeys).issue('family')
  for (const text of ['', 'x', `${nonce}=`, ` ${nonce}`, nonce.slice(1), nonce + nonce, other]) {
    t.equal(await nonces.timeOf(text), undefined)
  }
})
