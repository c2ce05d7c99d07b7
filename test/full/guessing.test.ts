import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { isProblem, newPassword, startApi } from '../endpoints/auth/api.ts'
import { createJar } from '../support/cookie-jar.ts'
import { createTestRedis } from '../support/redis.ts'
import { startService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

/** Rate limits are another matter, tested elsewhere. */
const unlimited = { RATE_LIMIT_SIGN_IN: 'off', RATE_LIMIT_DEFAULT: 'off' }

const start = async (t: Test, environment: Record<string, string> = {}) => {
  const api = await startApi(t, { ...unlimited, ...environment })
  const fail = async (times: number, name: object) => {
    for (let time = 0; time < times; time += 1) {
      const answer = await api.post('/auth/login', { ...name, password: `guess ${time}` })
      isProblem(t, answer, 'invalid_credentials')
    }
  }
  return { api, fail }
}

t.test('a locked account and a locked name that nobody has answer alike', async (t) => {
  const { api, fail } = await start(t)
  const { email, password, id } = await api.join({ username: 'jo_doe' })
  const disabled = await api.join()
  await api.deps.userAdministration.disableUser(disabled.id, { actor: 'cli', origin: {} })
  const names = [
    { email },
    { username: 'jo_doe' },
    { email: disabled.email },
    { email: 'nobody@example.com' },
    { username: 'nobody' },
  ]
  for (const name of names) {
    await fail(5, name)
    const answer = await api.post('/auth/login', { ...name, password })
    isProblem(t, answer, 'too_many_attempts')
    const wait = Number(answer.headers['retry-after'])
    t.ok(wait > 1790 && wait <= 1800, 'until the end of the lockout')
  }
  const event = await waitUntil('the lockout in the audit log', async () => {
    const events = await api.eventsOf(id, 'sign_in.locked')
    t.ok(events.length <= 2, 'one for each name')
    return events.length === 2 && events[0]
  })
  t.match(event, {
    severity: 'warning',
    outcome: 'failure',
    details: { scope: 'account', failures: 5, seconds: 1800, lockout: 1 },
  })
})

t.test('the form answers a locked account in its own format', async (t) => {
  const { api, fail } = await start(t)
  const { email, password } = await api.join()
  await fail(5, { email })
  const answer = await api.request({
    ...{ method: 'POST', url: '/auth/login-form' },
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams({ username: email, password }).toString(),
  })
  t.equal(answer.status, 429)
  t.match(answer.headers, { 'retry-after': /^\d+$/ })
  t.strictSame(answer.json, {
    error: 'invalid_request',
    error_description: 'Too many attempts failed; try again later',
  })
})

t.test('the owner signs in from a known device, whoever has locked the account', async (t) => {
  const { api, fail } = await start(t)
  const owner = createJar(api.app)
  const account = { email: `${crypto.randomUUID()}@example.com`, password: newPassword() }
  await owner.send({ url: '/auth/register', payload: account })
  await fail(5, { email: account.email })
  const stranger = createJar(api.app)
  isProblem(t, await stranger.send({ url: '/auth/login', payload: account }), 'too_many_attempts')
  t.equal((await owner.send({ url: '/auth/login', payload: account })).status, 200)

  await t.test("but a stranger's device of another account helps nobody", async (t) => {
    const mallory = { email: `${crypto.randomUUID()}@example.com`, password: newPassword() }
    await stranger.send({ url: '/auth/register', payload: mallory })
    isProblem(t, await stranger.send({ url: '/auth/login', payload: account }), 'too_many_attempts')
  })

  await t.test('nor does a device that was changed', async (t) => {
    const forged = createJar(api.app)
    const kept = owner.kept.get('tessera_device') ?? ''
    for (const device of [kept.replace(/^./, 'Z'), kept.slice(0, -1), '.', 'x']) {
      forged.kept.set('tessera_device', device)
      isProblem(t, await forged.send({ url: '/auth/login', payload: account }), 'too_many_attempts')
    }
  })

  await t.test('a known device has attempts of its own, no more than others', async (t) => {
    const wrong = { email: account.email, password: 'guess' }
    for (let time = 0; time < 5; time += 1) {
      isProblem(t, await owner.send({ url: '/auth/login', payload: wrong }), 'invalid_credentials')
    }
    isProblem(t, await owner.send({ url: '/auth/login', payload: account }), 'too_many_attempts')
  })
})

t.test('a stranger at the same address does not lock out a known device', async (t) => {
  const { api, fail } = await start(t, { MAX_LOGIN_ATTEMPTS: '1' })
  const owner = createJar(api.app)
  const account = { email: `${crypto.randomUUID()}@example.com`, password: newPassword() }
  await owner.send({ url: '/auth/register', payload: account })
  for (let name = 0; name < 20; name += 1) await fail(1, { email: `${name}@example.com` })
  const stranger = createJar(api.app)
  isProblem(t, await stranger.send({ url: '/auth/login', payload: account }), 'too_many_attempts')
  t.equal((await owner.send({ url: '/auth/login', payload: account })).status, 200)
})

t.test('a stolen session does not guess the password', async (t) => {
  const { api } = await start(t)
  const { token, password } = await api.join()
  for (let time = 0; time < 5; time += 1) {
    const answer =
      time % 2 === 0
        ? await api.post(
            '/auth/password',
            { current_password: `guess ${time}`, new_password: newPassword() },
            token,
          )
        : await api.patch(
            '/auth/me',
            { username: 'mallory', current_password: `guess ${time}` },
            token,
          )
    isProblem(t, answer, 'wrong_password')
  }
  const passwords = { current_password: password, new_password: newPassword() }
  isProblem(t, await api.post('/auth/password', passwords, token), 'too_many_attempts')
  const profile = { username: 'mallory', current_password: password }
  isProblem(t, await api.patch('/auth/me', profile, token), 'too_many_attempts')
})

t.test(
  'guesses at once, on two nodes, never have more passwords hashed than are allowed',
  async (t) => {
    const { url } = await createTestRedis(t)
    // However busy the machine is: a Redis that is too slow would be counted without.
    const shared = { ...unlimited, REDIS_URL: url, REDIS_COMMAND_TIMEOUT_MS: '10000' }
    const first = await startService(t, shared)
    const second = await startService(t, { ...shared, DATABASE_URL: first.databaseUrl })
    for (const { app } of [first, second]) {
      await waitUntil('Redis', async () => {
        const { redis } = (await app.inject('/health/ready')).json<{ redis: string }>()
        return redis === 'up'
      })
    }
    const guess = ({ app }: typeof first, index: number) =>
      app.inject({
        ...{ method: 'POST', url: '/auth/login' },
        payload: { email: 'jo@example.com', password: `guess ${index}` },
      })
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => guess(index % 2 === 0 ? first : second, index)),
    )
    const statuses = answers.map(({ statusCode }) => statusCode)
    t.equal(statuses.filter((status) => status === 401).length, 5)
    t.equal(statuses.filter((status) => status === 429).length, 55)
    t.equal((await guess(second, 61)).statusCode, 429)

    const redis = new Redis(url)
    t.teardown(() => redis.disconnect())
    const everything = (await redis.keys('*')).join('\n')
    t.match(everything, /attempts/)
    t.notMatch(everything, /jo@|example\.com/, 'no name of an account stands in Redis')
  },
)

t.test('an operator unlocks an account, which is audited', async (t) => {
  const { api, fail } = await start(t)
  const { email, password, id } = await api.join({ username: 'locked' })
  await fail(5, { email })
  await fail(5, { username: 'locked' })
  await api.deps.userAdministration.unlockUser(email, { actor: 'cli', origin: {} })
  for (const name of [{ email }, { username: 'locked' }]) {
    t.equal((await api.post('/auth/login', { ...name, password })).status, 200)
  }
  t.match(await api.eventOf(id, 'user.unlocked'), { actor: 'cli', severity: 'notice' })
})
