import { Redis } from 'ioredis'
import t from 'tap'
import { type Api, newPassword, startApi } from '../endpoints/auth/api.ts'
import { startRedisServer } from '../support/redis-server.ts'
import { waitUntil } from '../support/wait-until.ts'

const redis = await startRedisServer(t)
const settings = {
  ...{ REDIS_URL: redis.url, RATE_LIMIT_SIGN_IN: 'off', RATE_LIMIT_REGISTRATION: 'off' },
}
const api = await startApi(t, settings)

/** Tells the server something directly, as an operator would. */
const command = async (name: string, ...parameters: string[]): Promise<unknown> => {
  const client = new Redis(redis.url)
  return client.call(name, ...parameters).finally(() => client.disconnect())
}

const faults: Readonly<Record<string, { begin(): unknown; end(): unknown }>> = {
  stopped: { begin: redis.kill, end: redis.start },
  paused: { begin: redis.pause, end: redis.resume },
  full: {
    begin: () => command('CONFIG', 'SET', 'maxmemory', '1'),
    end: () => command('CONFIG', 'SET', 'maxmemory', '0'),
  },
  'read-only': {
    begin: () => command('REPLICAOF', '127.0.0.1', '1'),
    end: () => command('REPLICAOF', 'NO', 'ONE'),
  },
}

const redisAnswers = ({ get }: Pick<Api, 'get'>) =>
  waitUntil('Redis', async () => (await get('/health/ready')).json.redis === 'up')

// REDIS_COMMAND_TIMEOUT_MS for each of a few commands, and the pauses of a busy machine.
const longestAnswerMs = 3000

for (const [name, { begin, end }] of Object.entries(faults)) {
  t.test(`Redis ${name}: the process counts by itself, and sign-in goes on`, async (t) => {
    await redisAnswers(api)
    const person = await api.join()
    const victim = { email: `${crypto.randomUUID()}@example.com`, password: newPassword() }
    await begin()
    try {
      let slowest = 0
      const attempt = async (payload: object) => {
        const started = performance.now()
        const { status } = await api.post('/auth/login', payload)
        slowest = Math.max(slowest, performance.now() - started)
        return status
      }
      const statuses: number[] = []
      for (let time = 0; time < 7; time += 1) statuses.push(await attempt(victim))
      t.strictSame(statuses, [401, 401, 401, 401, 401, 429, 429])
      const { email, password } = person
      t.equal(await attempt({ email, password }), 200, 'others sign in')
      t.ok(slowest < longestAnswerMs, `${slowest} ms`)
    } finally {
      await end()
    }
  })
}

t.test('Redis flushed: the counts begin anew', async (t) => {
  // However busy the machine is: a Redis that is too slow would be counted without.
  const api = await startApi(t, { ...settings, REDIS_COMMAND_TIMEOUT_MS: '10000' })
  await redisAnswers(api)
  const { email, password } = await api.join()
  for (let time = 0; time < 5; time += 1) {
    await api.post('/auth/login', { email, password: 'guess' })
  }
  t.equal((await api.post('/auth/login', { email, password })).status, 429)
  await command('FLUSHALL')
  t.equal((await api.post('/auth/login', { email, password })).status, 200)
})
