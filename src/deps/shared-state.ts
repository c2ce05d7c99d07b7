import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { Bus } from '../revocation/bus.ts'
import { createMemoryBus } from '../stores/memory/bus.ts'
import { createRedisBus } from '../stores/redis/bus.ts'
import { createRedisClient, type RedisClient } from '../stores/redis/connection.ts'

/** The one connection for commands, and what its users need to know. */
export type SharedRedis = {
  /** Connects by itself, and again after failures; while it is away a command fails at once. */
  readonly client: RedisClient
  /** Start of every key, so that services can share a Redis. */
  readonly keyPrefix: string
  /** Longest wait for an answer, in milliseconds. */
  readonly commandTimeoutMs: number
  /** Whether it is known not to answer; asking costs nothing. */
  isAway(): boolean
}

/** What the nodes share beside the database; all of it can be lost. */
export type SharedState = {
  readonly bus: Bus
  /** Undefined without REDIS_URL. */
  readonly redis: SharedRedis | undefined
  close(): Promise<void>
}

/** Opens Redis where the configuration names one. Never waits for it. */
export const openSharedState = (config: Config, logger: Logger): SharedState => {
  if (config.redisServers === undefined) {
    const bus = createMemoryBus()
    return { bus, redis: undefined, close: bus.close }
  }
  const { redisServers: servers, redisCommandTimeoutMs: commandTimeoutMs } = config
  const name = `tessera:${config.issuer}`
  const client = createRedisClient(servers, commandTimeoutMs)
  const bus = createRedisBus({
    ...{ servers, commandTimeoutMs, channel: name, publisher: client },
    onProblem: (error) => {
      logger.warn({ reason: reasonOf(error) }, 'Redis does not answer: each process is on its own')
    },
    onReturn: () => logger.info('Redis answers again'),
  })
  const isAway = (): boolean => bus.problem() !== undefined
  return {
    bus,
    redis: { client, keyPrefix: name, commandTimeoutMs, isAway },
    close: bus.close,
  }
}

// Not the error itself: what ioredis throws holds the command, and that of AUTH the password.
const reasonOf = (error: Error & { readonly code?: string }): string => error.code ?? error.message
