import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import type { Test } from 'tap'

/** A part of the run's Redis that one test has to itself. */
export type TestRedis = {
  /** Names a database of its own, where the server has enough of them. */
  readonly url: string
  /** Unique start of key and channel names: channels are shared by all databases. */
  readonly prefix: string
}

const counter = 'tessera-test:databases'

/** Hands out a part of the run's Redis and empties it after the test. */
export async function createTestRedis(t: Test): Promise<TestRedis> {
  const base = process.env.TEST_REDIS_URL
  if (base === undefined) {
    throw new Error('This test needs what the runner starts: npm test -- <test file>')
  }
  const url = await nextDatabase(base)
  const prefix = `test-${randomUUID()}:`
  t.teardown(() => onRedis(url, (redis) => deleteKeys(redis, prefix)))
  return { url, prefix }
}

/** Databases 1 and up in turn; the one of the URL where a foreign server does not have many. */
async function nextDatabase(base: string): Promise<string> {
  return await onRedis(base, async (redis) => {
    const [, databases] = (await redis.config('GET', 'databases')) as [string, string]
    if (Number(databases) < 1024) return base
    const url = new URL(base)
    url.pathname = `/${1 + ((await redis.incr(counter)) % (Number(databases) - 1))}`
    return url.href
  })
}

async function deleteKeys(redis: Redis, prefix: string): Promise<void> {
  for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1000 })) {
    if (keys.length > 0) await redis.unlink(...(keys as string[]))
  }
}

async function onRedis<T>(url: string, act: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url)
  try {
    return await act(redis)
  } finally {
    redis.disconnect()
  }
}
