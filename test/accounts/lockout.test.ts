import { createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'tap'
import { createAccountDigest } from '../../src/accounts/account-digest.ts'
import { createLockout } from '../../src/accounts/lockout.ts'
import { countersOf, lockSecondsOf } from '../../src/accounts/lockout-policy.ts'
import type { PasswordVerdict } from '../../src/accounts/password-verification.ts'
import type { LoginName } from '../../src/accounts/user.ts'
import type { RecordedEvent } from '../../src/audit/event.ts'
import { Problem } from '../../src/oauth/problem.ts'
import { Unavailable } from '../../src/oauth/unavailable.ts'
import { createMemoryAttempts } from '../../src/stores/memory/attempts.ts'

const config = { maxLoginAttempts: 5, lockoutSeconds: 600 }
const key = { number: 1, key: createSecretKey(Buffer.alloc(32, 'k')) }
const digest = createAccountDigest({ current: () => key })
const wrong: PasswordVerdict = { ok: false, reason: 'wrong_password', userId: 'u1' }
const right: PasswordVerdict = {
  ok: true,
  credentials: { userId: 'u1', passwordHash: 'h', credentialEpoch: 1, status: 'active' },
}
const jo = { email: 'jo@example.com' }
const home = { address: '192.0.2.1' }

/** A lockout that tells what it was asked to look at, and what it recorded. */
const start = (options: { longestWaitMs?: number } = {}) => {
  const events: RecordedEvent[] = []
  const looked: string[] = []
  const log: { failure?: Error } = {}
  const auditWriter = {
    record: (event: RecordedEvent) => void events.push(event),
    async write(event: RecordedEvent) {
      if (log.failure) throw log.failure
      events.push(event)
    },
  }
  const lockout = createLockout({
    ...{ config, store: createMemoryAttempts(), digest, auditWriter },
    ...options,
  })
  const attempt = async (
    verdict: PasswordVerdict | Error,
    { account = jo, address = home.address, device }: Partial<Attempted> = {},
  ): Promise<'right' | 'wrong' | 'unavailable' | number> => {
    const verify = async () => {
      looked.push(JSON.stringify(account))
      // So that attempts at once are really under way together.
      await new Promise(setImmediate)
      if (verdict instanceof Error) throw verdict
      return verdict
    }
    try {
      const { ok } = await lockout.guard({ account, origin: { address }, device }, verify)
      return ok ? 'right' : 'wrong'
    } catch (error) {
      if (error instanceof Unavailable) return 'unavailable'
      if (!(error instanceof Problem) || error.code !== 'too_many_attempts') throw error
      return error.options.retryAfterSeconds ?? Number.NaN
    }
  }
  const fail = async (times: number, where: Partial<Attempted> = {}) => {
    for (let time = 0; time < times; time += 1) await attempt(wrong, where)
  }
  return { lockout, attempt, fail, events, looked, log }
}
type Attempted = { account: LoginName; address: string; device: string }

test('after the allowed failures the account is locked, even for the right password', async (t) => {
  const { attempt, fail, looked, events } = start()
  await fail(5)
  t.equal(looked.length, 5)
  t.equal(await attempt(right), 600)
  t.equal(await attempt(right, { address: '198.51.100.1' }), 600, 'wherever it comes from')
  t.equal(looked.length, 5, 'no password is looked at')
  t.strictSame(events, [
    {
      type: 'sign_in.locked',
      outcome: 'failure',
      subject: 'u1',
      details: { scope: 'account', failures: 5, seconds: 600, lockout: 1 },
      origin: home,
    },
  ])
})

test('all spellings of a name are one account, and another account is another', async (t) => {
  const { attempt, fail } = start()
  await fail(5)
  for (const email of [' JO@example.com', 'jo@EXAMPLE.com', 'Ｊo@example.com']) {
    t.equal(await attempt(right, { account: { email } }), 600)
  }
  t.equal(await attempt(right, { account: { email: 'al@example.com' } }), 'right')
})

test('a success clears the count of the account', async (t) => {
  const { attempt, fail } = start()
  await fail(4)
  t.equal(await attempt(right), 'right')
  await fail(4)
  t.equal(await attempt(right), 'right')
})

test('attempts at once never have more passwords looked at than are allowed', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 4 }), run),
    { numRuns: 30 },
  )
  async function run(parallel: number, before: number) {
    const { attempt, fail, looked, events } = start()
    await fail(before)
    await Promise.all(Array.from({ length: parallel }, () => attempt(wrong)))
    t.equal(looked.length, Math.min(5, before + parallel))
    t.equal(events.length, before + parallel >= 5 ? 1 : 0, 'one event for each lockout')
  }
})

test('right passwords at once are all let in, some after a moment', async (t) => {
  const { attempt, events } = start()
  const answers = await Promise.all(Array.from({ length: 20 }, () => attempt(right)))
  t.strictSame(new Set(answers), new Set(['right']))
  t.strictSame(events, [])
})

test('while attempts under way hold all places, another is told to come again', async (t) => {
  const { lockout, attempt } = start({ longestWaitMs: 50 })
  const gate = Promise.withResolvers<PasswordVerdict>()
  const held = Array.from({ length: 5 }, () =>
    lockout.guard({ account: jo, origin: home }, () => gate.promise),
  )
  t.equal(await attempt(right), 1)
  gate.resolve(right)
  await Promise.all(held)
  t.equal(await attempt(right), 'right')
})

test('attempts that come to nothing after the lock leave it as it is', async (t) => {
  const { lockout, attempt, fail } = start()
  const gate = Promise.withResolvers<PasswordVerdict>()
  const held = Array.from({ length: 3 }, () =>
    lockout.guard({ account: jo, origin: home }, () => gate.promise),
  )
  await fail(2)
  gate.reject(new Unavailable('the queue is full'))
  await Promise.allSettled(held)
  t.equal(await attempt(right), 600, 'for as long as it was locked, and at once')
})

test('an attempt of which nothing became is not counted', async (t) => {
  const { attempt, fail } = start()
  for (let time = 0; time < 20; time += 1) {
    t.equal(await attempt(new Unavailable('the queue is full')), 'unavailable')
  }
  await fail(4)
  t.equal(await attempt(right), 'right')
})

test('a known device is not locked out by strangers, nor strangers let in by it', async (t) => {
  const { attempt, fail } = start()
  await fail(5)
  t.equal(await attempt(right, { device: 'd1' }), 'right')
  t.equal(await attempt(right), 600, 'for others the account stays locked')
  await fail(5, { device: 'd1' })
  t.equal(await attempt(right, { device: 'd1' }), 600, 'its own failures count')
  t.equal(await attempt(right, { device: 'd2' }), 'right')
})

test('an address that fails at many accounts is locked, whatever names it tries', async (t) => {
  const { attempt, fail } = start()
  for (let account = 0; account < 100; account += 1) {
    await fail(1, { account: { email: `${account}@example.com` }, address: '2001:db8::1' })
    const own = { account: { email: 'own@example.com' }, address: '2001:db8::2' }
    if (account < 99) t.equal(await attempt(right, own), 'right', 'successes do not count')
  }
  const elsewhere = { account: { email: 'new@example.com' } }
  t.equal(await attempt(right, { ...elsewhere, address: '2001:db8::ffff' }), 600, 'one /64')
  t.equal(await attempt(right, { ...elsewhere, address: '2001:db8:0:1::1' }), 'right')
})

test('a known device is let in from an address that others have locked', async (t) => {
  const { attempt, fail } = start()
  for (let account = 0; account < 100; account += 1) {
    await fail(1, { account: { email: `${account}@example.com` } })
  }
  t.equal(await attempt(right), 600)
  t.equal(await attempt(right, { device: 'd1' }), 'right')
  await fail(5, { device: 'd1' })
  t.equal(await attempt(right, { device: 'd1' }), 600, 'its own failures count')
})

test('an operator unlocks an account by any of its names', async (t) => {
  const { lockout, attempt, fail, events } = start()
  await fail(5)
  await fail(5, { account: { username: 'jo' } })
  const act = { actor: 'cli', origin: {} }
  await lockout.unlock({ id: 'u1', email: 'jo@example.com', username: 'jo' }, act)
  t.equal(await attempt(right), 'right')
  t.equal(await attempt(right, { account: { username: 'jo' } }), 'right')
  t.strictSame(events.at(-1), {
    type: 'user.unlocked',
    outcome: 'success',
    actor: 'cli',
    subject: 'u1',
    origin: {},
  })
})

test('an unlock that cannot be told of is not done', async (t) => {
  const { lockout, attempt, fail, log } = start()
  await fail(5)
  log.failure = new Unavailable('the database does not answer')
  const user = { id: 'u1', email: 'jo@example.com', username: null }
  await t.rejects(lockout.unlock(user, { actor: 'cli', origin: {} }), log.failure)
  t.equal(await attempt(right), 600)
})

test('lockouts of one day last longer each time, up to a bound', async (t) => {
  t.strictSame(
    [1, 2, 3, 4, 5, 6, 100].map((lockout) => lockSecondsOf(lockout, config)),
    [600, 1200, 2400, 4800, 9600, 9600, 9600],
  )
})

test('slow guessing from one address meets a count of a longer time', async (t) => {
  const traits = { account: 'a', network: 'n', device: undefined }
  t.strictSame(
    countersOf(traits, config).map(({ scope, allowance, windowSeconds }) => [
      scope,
      allowance,
      windowSeconds,
    ]),
    [
      ['account', 5, 600],
      ['account_address', 20, 7200],
      ['address', 100, 600],
    ],
  )
})
