import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { hash as hashElsewhere, verify as verifyElsewhere } from '@node-rs/argon2'
import t, { type Test } from 'tap'
import { Unavailable } from '../../src/oauth/unavailable.ts'
import { createPasswordHasher } from '../../src/secrets/password-hasher.ts'
import { drainMicrotasks } from '../support/microtasks.ts'
import { phc, unusable } from './unusable-hashes.ts'

const cheap = { memoryKib: 64, timeCost: 1, parallelism: 1, concurrency: 2, queueLimit: 8 }
const open = (t: Test, options: Partial<typeof cheap> = {}) => {
  const hasher = createPasswordHasher({ ...cheap, ...options })
  t.teardown(() => hasher.close())
  return hasher
}

t.test('a hash is a PHC string of argon2id with the given cost (RFC 9106)', async (t) => {
  const hasher = open(t, { memoryKib: 128, timeCost: 3, parallelism: 2 })
  const hash = await hasher.hash('correct horse')
  t.match(hash, /^\$argon2id\$v=19\$m=128,t=3,p=2\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  t.ok(await verifyElsewhere(hash, 'correct horse'), 'another caller of argon2 agrees')
  t.not(await hasher.hash('correct horse'), hash, 'each hash has its own salt')
})

t.test('exactly the password that was hashed is accepted', async (t) => {
  const hasher = open(t)
  const password = ' Pässwörd\u{1F511}\u00a0 '
  const hash = await hasher.hash(password)
  t.equal(await hasher.verify(hash, password), true)
  for (const other of ['', password.trim(), password.toLowerCase(), `${password} `]) {
    t.equal(await hasher.verify(hash, other), false, JSON.stringify(other))
  }
  const combined = 'a\u0308'
  t.equal(await hasher.verify(await hasher.hash('\u00e4'), combined), false, 'no normalization')
})

t.test('all 256 characters of a long password count', async (t) => {
  const hasher = open(t)
  const hash = await hasher.hash('a'.repeat(256))
  t.equal(await hasher.verify(hash, 'a'.repeat(256)), true)
  t.equal(await hasher.verify(hash, `${'a'.repeat(255)}b`), false)
})

t.test('a hash made elsewhere, of other variants and costs, is verified', async (t) => {
  const hasher = open(t)
  for (const algorithm of [0, 1, 2]) {
    const hash = await hashElsewhere('imported', { algorithm, memoryCost: 256, timeCost: 2 })
    t.equal(await hasher.verify(hash, 'imported'), true, hash)
    t.equal(await hasher.verify(hash, 'else'), false, hash)
  }
})

t.test('an absent or unusable hash is false, never an error', async (t) => {
  const hasher = open(t)
  for (const [title, hash] of Object.entries(unusable)) {
    t.equal(await hasher.verify(hash, 'password'), false, title)
  }
})

t.test('a hash of the present cost needs no rehash, any other does', async (t) => {
  const hasher = open(t)
  t.equal(hasher.needsRehash(await hasher.hash('password')), false)
  const others = [
    phc('m=63,t=1,p=1'),
    phc('m=65,t=1,p=1'),
    phc('m=64,t=2,p=1'),
    phc('m=64,t=1,p=2'),
    phc('m=64,t=1,p=1', 16),
    phc('m=64,t=1,p=1').replace('argon2id', 'argon2i'),
    phc('m=64,t=1,p=1').replace('$v=19', ''),
    'password',
    '',
  ]
  for (const other of others) t.equal(hasher.needsRehash(other), true, other)
  t.equal(hasher.needsRehash(phc('m=64,t=1,p=1')), false)
})

t.test('past the queue a hash is refused at once, and the others finish', async (t) => {
  const hasher = open(t, { memoryKib: 19_456, concurrency: 1, queueLimit: 3 })
  const requests = Array.from({ length: 10 }, () => hasher.hash('password'))
  t.equal(hasher.queueDepth(), 3)
  const results = await Promise.allSettled(requests)
  t.strictSame(
    results.map(({ status }) => status),
    requests.map((_, index) => (index < 4 ? 'fulfilled' : 'rejected')),
  )
  const refused = results.flatMap((result) => (result.status === 'rejected' ? result.reason : []))
  for (const reason of refused) {
    t.match(reason, { name: 'Unavailable', retryAfterSeconds: 2 })
    t.ok(reason instanceof Unavailable)
  }
  t.equal(hasher.queueDepth(), 0)
  t.match(await hasher.hash('password'), /^\$argon2id\$/, 'afterwards it works again')
})

t.test('waiting hashes are served in the order of their arrival', async (t) => {
  const hasher = open(t, { concurrency: 1 })
  const order: number[] = []
  const noting = async (index: number) => {
    await hasher.hash('password')
    order.push(index)
  }
  await Promise.all([0, 1, 2, 3, 4, 5, 6].map(noting))
  t.strictSame(order, [0, 1, 2, 3, 4, 5, 6])
})

t.test('hashing leaves the event loop free', async (t) => {
  const hasher = open(t)
  let done = false
  const hashing = hasher.hash('password').then(() => {
    done = true
  })
  await drainMicrotasks()
  t.equal(done, false, 'what were computed here and now would be done')
  await hashing
})

t.test('what runs in the pool of libuv, as signatures do, waits for no hash', async (t) => {
  const hasher = open(t, { memoryKib: 65_536, timeCost: 4, concurrency: 4 })
  const order: string[] = []
  const note = (what: string) => () => void order.push(what)
  const hashes = Array.from({ length: 8 }, () => hasher.hash('password').then(note('hash')))
  await promisify(randomBytes)(16).then(note('libuv'))
  await Promise.all(hashes)
  t.equal(order[0], 'libuv')
})

t.test('without a given concurrency it leaves one core to the event loop', async (t) => {
  const hasher = open(t, { concurrency: 0 })
  const hash = await hasher.hash('password')
  t.equal(await hasher.verify(hash, 'password'), true)
})

t.test('closing lets what was begun finish, and takes nothing more', async (t) => {
  const hasher = createPasswordHasher({ ...cheap, concurrency: 1 })
  const requests = ['a', 'b', 'c'].map((password) => hasher.hash(password))
  const closed = hasher.close()
  await t.rejects(hasher.hash('d'), { name: 'Unavailable' })
  t.match(await Promise.all(requests), [/^\$argon2id/, /^\$argon2id/, /^\$argon2id/])
  await closed
})
