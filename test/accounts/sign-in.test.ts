import { createSecretKey } from 'node:crypto'
import { type Test, test } from 'tap'
import { createSignIn } from '../../src/accounts/sign-in.ts'
import { Unavailable } from '../../src/oauth/unavailable.ts'
import { createPasswordHasher, type PasswordHasher } from '../../src/secrets/password-hasher.ts'
import { createUserStore } from '../../src/stores/postgres/accounts.ts'
import { connectPostgres, createConnection } from '../../src/stores/postgres/database.ts'
import { createSessionStore } from '../../src/stores/postgres/sessions.ts'
import { createFamilyStarter } from '../../src/tokens/family-start.ts'
import { startService } from '../support/service.ts'
import { poolOptions } from '../support/sql-backends.ts'
import { waitUntil } from '../support/wait-until.ts'
import { act, entryLifetime } from './account-rows.ts'

const cheap = { memoryKib: 64, timeCost: 1, parallelism: 1, concurrency: 1, queueLimit: 100 }
const macKey = { number: 1, key: createSecretKey(Buffer.alloc(32, 'm')) }
const macKeys = { current: () => macKey, oldest: () => macKey.key, find: async () => macKey.key }

/** A real hasher that also tells what it was asked to compute. */
const observe = (t: Test, options: typeof cheap, crowded: boolean) => {
  const hasher = createPasswordHasher(options)
  const computed: string[] = []
  const others: Promise<boolean>[] = []
  t.teardown(async () => {
    await Promise.all(others)
    await hasher.close()
  })
  const observed: PasswordHasher = {
    ...hasher,
    hash(password) {
      computed.push('hash')
      return hasher.hash(password)
    },
    async verify(hash, password) {
      computed.push('verify')
      const matches = await hasher.verify(hash, password)
      if (crowded) others.push(hasher.verify(null, 'somebody else comes in between'))
      return matches
    },
  }
  return { hasher: observed, computed }
}

/** Sign-in with a hasher of its own, beside the whole service on the same database. */
const startSignIn = async (
  t: Test,
  { crowded = false, ...options }: Partial<typeof cheap> & { crowded?: boolean } = {},
) => {
  const { deps, config, databaseUrl } = await startService(t)
  const db = await connectPostgres(databaseUrl, poolOptions, () => {})
  t.teardown(() => db.destroy())
  const connection = createConnection(db)
  const { hasher, computed } = observe(t, { ...cheap, ...options }, crowded)
  const users = createUserStore(connection, () => entryLifetime)
  const { issuer, auditWriter, revocations, userAdministration } = deps
  const { signIn } = createSignIn({
    ...{ config, users, hasher, issuer, auditWriter, revocations },
    sessions: createSessionStore(connection, () => entryLifetime),
    familyStarter: createFamilyStarter(macKeys),
    // Who may try how often is tested by itself.
    lockout: { guard: (_attempt, verify) => verify() },
  })
  const failure = (requestId: string) =>
    waitUntil('the failed sign-in in the audit log', () =>
      db
        .selectFrom('audit_events')
        .select(['type', 'outcome', 'actor', 'subject', 'details', 'address', 'user_agent'])
        .where('request_id', '=', requestId)
        .executeTakeFirst(),
    )
  return { signIn, computed, hasher, users, userAdministration, failure, db }
}

test('unknown, wrong and disabled take the same work and have the same answer (ASVS 5.0 6.3.8)', async (t) => {
  const { signIn, computed, userAdministration, failure } = await startSignIn(t)
  const password = 'gurgling turnip rain'
  const known = await userAdministration.createUser({ email: 'jo@example.com', password }, act)
  const gone = await userAdministration.createUser(
    { email: 'gone@example.com', username: 'gone', password },
    act,
  )
  await userAdministration.disableUser(gone.id, act)
  const none = await userAdministration.createUser({ email: 'none@example.com' }, act)

  const refused = [
    [{ email: 'nobody@example.com' }, password, 'unknown_user', null, 'n***@e***'],
    [{ username: 'nobody' }, password, 'unknown_user', null, 'n***'],
    [{ email: 'jo@example.com' }, 'another password', 'wrong_password', known.id, 'j***@e***'],
    [{ email: 'jo@example.com' }, ` ${password}`, 'wrong_password', known.id, 'j***@e***'],
    [{ username: 'gone' }, password, 'disabled', gone.id, 'g***'],
    [{ username: 'gone' }, 'another password', 'wrong_password', gone.id, 'g***'],
    [{ email: 'none@example.com' }, '', 'wrong_password', none.id, 'n***@e***'],
  ] as const
  for (const [index, [name, typed, reason, subject, masked]] of refused.entries()) {
    computed.length = 0
    const requestId = `attempt-${index}`
    const origin = { requestId, address: '192.0.2.7', userAgent: 'Test/1' }
    t.equal(await signIn(name, typed, origin), undefined, reason)
    t.strictSame(computed, ['verify'], 'one hash, and no other')
    t.strictSame(await failure(requestId), {
      type: 'sign_in.failed',
      outcome: 'failure',
      actor: null,
      subject,
      details: { reason, name: masked },
      address: '192.0.2.7',
      user_agent: 'Test/1',
    })
  }
  computed.length = 0
  t.ok(await signIn({ email: 'jo@example.com' }, password, {}))
  t.strictSame(computed, ['verify'], 'and so does a good sign-in')
})

test('a sign-in raises the cost of an old hash, and only then hashes twice', async (t) => {
  const { signIn, computed, users, userAdministration } = await startSignIn(t, { timeCost: 2 })
  const password = 'gurgling turnip rain'
  const { id } = await userAdministration.createUser({ email: 'jo@example.com', password }, act)
  const before = await users.findCredentials({ id })
  t.match(before?.passwordHash, /m=64,t=1,p=1/)
  t.equal(await signIn({ email: 'jo@example.com' }, 'another password', {}), undefined)
  t.strictSame(await users.findCredentials({ id }), before, 'a wrong password changes nothing')
  computed.length = 0
  t.ok(await signIn({ email: 'jo@example.com' }, password, {}))
  t.strictSame(computed, ['verify', 'hash'])
  const after = await users.findCredentials({ id })
  t.match(after?.passwordHash, /m=64,t=2,p=1/)
  t.equal(after?.credentialEpoch, before?.credentialEpoch, 'the password is the same')
  computed.length = 0
  t.ok(await signIn({ email: 'jo@example.com' }, password, {}))
  t.strictSame(computed, ['verify'])
})

test('a sign-in does without a new hash when nobody has time for it', async (t) => {
  const { signIn, computed, users, userAdministration } = await startSignIn(t, {
    timeCost: 2,
    queueLimit: 0,
    crowded: true,
  })
  const password = 'gurgling turnip rain'
  const { id } = await userAdministration.createUser({ email: 'jo@example.com', password }, act)
  t.ok(await signIn({ email: 'jo@example.com' }, password, {}))
  t.strictSame(computed, ['verify', 'hash'], 'it was tried')
  t.match((await users.findCredentials({ id }))?.passwordHash, /m=64,t=1,p=1/)
})

test('a sign-in that finds the queue full is turned away, not refused', async (t) => {
  const { signIn, userAdministration } = await startSignIn(t, { queueLimit: 0 })
  const password = 'gurgling turnip rain'
  await userAdministration.createUser({ email: 'jo@example.com', password }, act)
  const settled = await Promise.allSettled(
    [1, 2].map(() => signIn({ email: 'jo@example.com' }, password, {})),
  )
  const [turnedAway] = settled.filter((result) => result.status === 'rejected')
  t.equal(settled.filter(({ status }) => status === 'fulfilled').length, 1)
  t.ok(turnedAway?.reason instanceof Unavailable)
})

test('a sign-in that finds the queue full costs nothing before it is turned away', async (t) => {
  const { signIn, computed, hasher, userAdministration } = await startSignIn(t, { queueLimit: 0 })
  const password = 'gurgling turnip rain'
  await userAdministration.createUser({ email: 'jo@example.com', password }, act)
  const other = hasher.hash('somebody else was first')
  computed.length = 0
  const turnedAway = signIn({ email: 'jo@example.com' }, password, {})
  await t.rejects(turnedAway, { name: 'Unavailable', retryAfterSeconds: 2 })
  t.strictSame(computed, [], 'no password was looked at')
  await other
  t.ok(await signIn({ email: 'jo@example.com' }, password, {}), 'afterwards it works again')
})
