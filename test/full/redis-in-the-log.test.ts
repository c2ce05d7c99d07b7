import { once } from 'node:events'
import { createServer } from 'node:net'
import { Redis } from 'ioredis'
import { test } from 'tap'
import { startRedisServer } from '../support/redis-server.ts'
import { startService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

type Line = { readonly level: string; readonly msg: string; readonly reason?: string }

const away = 'Redis does not answer: each process is on its own'
const back = 'Redis answers again'
const alone = 'REDIS_URL is not set: limits and lockouts are counted by each process alone'

const about = (log: readonly string[]) =>
  log
    .map((line) => JSON.parse(line) as Line)
    .filter(({ msg }) => /redis/i.test(msg))
    .map(({ level, msg }) => ({ level, msg }))

/** Hangs up on whoever comes to a port. @returns how often that was, and its end */
const refuseAll = async (port: number) => {
  let attempts = 0
  const server = createServer((socket) => {
    attempts += 1
    socket.destroy()
  })
  await once(server.listen(port, '127.0.0.1'), 'listening')
  const close = async () => {
    server.close()
    await once(server, 'close')
  }
  return { attempts: () => attempts, close }
}

test('a Redis that goes away and comes back leaves one warning and one word of its return', async (t) => {
  const redis = await startRedisServer(t)
  const { log, deps } = await startService(t, { REDIS_URL: redis.url })
  await waitUntil('Redis', () => !deps.health.degraded().includes('redis'))
  t.strictSame(about(log), [])
  await redis.kill()
  const refusing = await refuseAll(redis.port)
  await waitUntil('several attempts', () => refusing.attempts() > 6)
  await refusing.close()
  t.strictSame(about(log), [{ level: 'warn', msg: away }])
  await redis.start()
  await waitUntil('its return', () => about(log).length > 1)
  t.strictSame(about(log).slice(1), [{ level: 'info', msg: back }])
})

test('a Redis that stops answering on a connection that stands is warned of as well', async (t) => {
  const redis = await startRedisServer(t)
  const { log, deps } = await startService(t, { REDIS_URL: redis.url })
  await waitUntil('Redis', () => !deps.health.degraded().includes('redis'))
  redis.pause()
  await waitUntil('the warning', () => about(log).length > 0)
  redis.resume()
  await waitUntil('its return', () => about(log).length > 1)
  t.strictSame(about(log), [
    { level: 'warn', msg: away },
    { level: 'info', msg: back },
  ])
})

test('a Redis that is not there at start is warned of, once', async (t) => {
  const { log } = await startService(t, { REDIS_URL: 'redis://127.0.0.1:1' })
  await waitUntil('the warning', () => about(log).length > 0)
  t.strictSame(about(log), [{ level: 'warn', msg: away }])
  const [reason] = log.filter((line) => line.includes(away)).map((line) => JSON.parse(line).reason)
  t.equal(reason, 'ECONNREFUSED')
})

test('a password that Redis refuses is not in the log', async (t) => {
  const redis = await startRedisServer(t)
  const admin = new Redis(redis.url)
  await admin.config('SET', 'requirepass', 'the right one')
  admin.disconnect()
  const { log } = await startService(t, {
    REDIS_URL: `redis://somebody:not-the-right-one@127.0.0.1:${redis.port}`,
  })
  await waitUntil('the warning', () => about(log).length > 0)
  t.strictSame(about(log), [{ level: 'warn', msg: away }])
  t.notMatch(log.join('\n'), 'not-the-right-one')
})

test('a stop says nothing of Redis', async (t) => {
  const redis = await startRedisServer(t)
  const { log, deps } = await startService(t, { REDIS_URL: redis.url })
  await waitUntil('Redis', () => !deps.health.degraded().includes('redis'))
  await deps.close()
  t.strictSame(about(log), [])
})

test('without REDIS_URL a server says once at start what that means', async (t) => {
  const { log } = await startService(t)
  t.strictSame(about(log), [{ level: 'info', msg: alone }])
})
