import { sha256 } from '../../secrets/digest.ts'
import { randomToken } from '../../secrets/random.ts'
import type { RedisClient } from './connection.ts'

/** `forgotten`: used or not, nobody knows; the memory of that time was lost. */
export type RedisUse = 'first' | 'repeated' | 'forgotten'

/** Ids that have been used, in Redis alone; every failure of it is thrown. */
export type RedisOneTimeIds = {
  use(digest: Buffer, issuedAt: Date, expiresAt: Date): Promise<RedisUse>
  /** From now on whatever was issued before `moment` counts as forgotten, on every node. */
  forgetBefore(moment: Date): Promise<void>
}

type Options = {
  readonly client: RedisClient
  /** Keeps services apart that share a Redis. */
  readonly keyPrefix: string
  /** Longest wait for Redis; its own time limit does not cover what a cluster tries again. */
  readonly commandTimeoutMs: number
  readonly clock: () => Date
  /**
   * Called when a part of the memory is not there.
   * @returns true when it has never been: then nothing can have been forgotten
   */
  readonly isFirst: (part: Buffer) => Promise<boolean>
}

// Keys of one part share a hash slot, so a cluster spreads the parts over its shards, and each part
// holds the moment from which on its memory is complete.
const parts = 16

// The value tells a command that is sent again, because its answer was late, from another use.
const useScript = `
local since = redis.call('GET', KEYS[1])
if not since then return 'empty' end
if tonumber(ARGV[1]) < tonumber(since) then return 'forgotten' end
if redis.call('SET', KEYS[2], ARGV[3], 'NX', 'PX', ARGV[2]) then return 'first' end
if redis.call('GET', KEYS[2]) == ARGV[3] then return 'first' end
return 'repeated'`

// Who knows that nothing was there before decides, also over one who does not know it.
const sinceScript = `
local since = redis.call('GET', KEYS[1])
if not since or ARGV[1] == '0' or
  (ARGV[2] == 'raise' and tonumber(since) < tonumber(ARGV[1])) then
  redis.call('SET', KEYS[1], ARGV[1])
end
return 'ok'`

export const createRedisOneTimeIds = (options: Options): RedisOneTimeIds => {
  const { client, keyPrefix, commandTimeoutMs, clock, isFirst } = options
  const sinceKey = (part: number): string => `{${keyPrefix}:once:${part}}:since`

  const run = async (script: string, keys: string[], values: (string | number)[]) => {
    const attempt = () =>
      inTime(client.eval(script, keys.length, ...keys, ...values), commandTimeoutMs)
    // One answer that is late must not make nodes part ways about where ids are.
    return String(await attempt().catch(attempt))
  }
  const beginning = new Map<number, Promise<void>>()
  const beginOnce = async (part: number): Promise<void> => {
    const key = sinceKey(part)
    const isNew = await isFirst(sha256(key)).catch(() => false)
    await run(sinceScript, [key], [isNew ? 0 : clock().getTime(), 'keep'])
  }
  const begin = (part: number): Promise<void> => {
    const begun = beginning.get(part) ?? beginOnce(part).finally(() => beginning.delete(part))
    beginning.set(part, begun)
    return begun
  }

  return {
    async use(digest, issuedAt, expiresAt) {
      const part = (digest[0] ?? 0) % parts
      const keys = [sinceKey(part), `{${keyPrefix}:once:${part}}:${digest.toString('base64url')}`]
      const lifetimeMs = Math.max(1, expiresAt.getTime() - clock().getTime())
      const values = [issuedAt.getTime(), Math.ceil(lifetimeMs), randomToken(16)]
      let outcome = await run(useScript, keys, values)
      if (outcome === 'empty') {
        await begin(part)
        outcome = await run(useScript, keys, values)
      }
      return outcome === 'first' || outcome === 'repeated' ? outcome : 'forgotten'
    },
    async forgetBefore(moment) {
      const all = Array.from({ length: parts }, (_, part) => sinceKey(part))
      await Promise.all(all.map((key) => run(sinceScript, [key], [moment.getTime(), 'raise'])))
    },
  }
}

const inTime = async <T>(answer: Promise<T>, milliseconds: number): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('Redis does not answer in time')), milliseconds)
  })
  // What comes after the time has nobody who would hear of it.
  answer.catch(() => {})
  return await Promise.race([answer, late]).finally(() => clearTimeout(timer))
}
