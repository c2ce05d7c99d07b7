import { availableParallelism } from 'node:os'
import { Piscina } from 'piscina'
import { Unavailable } from '../oauth/unavailable.ts'
import { createDummyHash, differsFrom, hashToCompute, type PasswordCost } from './password-cost.ts'
import type { HashTask, VerifyTask } from './password-worker.ts'

export type PasswordHasherOptions = PasswordCost & {
  /** Hashes computed at once; 0: one fewer than the cores, at least one. */
  readonly concurrency: number
  /** Hashes that may wait for their turn. */
  readonly queueLimit: number
  /** Told when a worker thread dies. */
  readonly onWorkerError?: (error: Error) => void
}

/** Hashes passwords with argon2id (RFC 9106) outside the event loop and outside libuv's pool. */
export type PasswordHasher = {
  /** @returns a PHC string. @throws {Unavailable} when the queue is full. */
  hash(password: string): Promise<string>
  /**
   * Takes the same work for a hash that is absent or unusable, and is false then.
   * @throws {Unavailable} when the queue is full.
   */
  verify(hash: string | null | undefined, password: string): Promise<boolean>
  /**
   * Says early that the queue is full, so that whoever would be turned away costs nothing before.
   * @throws {Unavailable} when it is.
   */
  requireRoom(): void
  /** True for a hash of another cost or algorithm than the present one. */
  needsRehash(hash: string): boolean
  /** Hashes that wait for a thread. */
  queueDepth(): number
  /** Lets what runs finish, then ends the threads. */
  close(): Promise<void>
}

// A thread takes about 60 ms to start and holds about 10 MB: kept through pauses, not for ever.
const idleTimeoutMs = 120_000
const retryAfterSeconds = 2

export const createPasswordHasher = (options: PasswordHasherOptions): PasswordHasher => {
  const threads = options.concurrency || Math.max(1, availableParallelism() - 1)
  const { memoryKib, timeCost, parallelism } = options
  const cost: PasswordCost = { memoryKib, timeCost, parallelism }
  const dummy = createDummyHash(cost)
  const pool = createPool(threads, options.onWorkerError)
  const inFlight = new Set<Promise<unknown>>()
  let closed = false

  const requireRoom = (): void => {
    if (!closed && inFlight.size < threads + options.queueLimit) return
    throw new Unavailable('too many passwords wait to be hashed', { retryAfterSeconds })
  }

  const run = async (name: 'hash' | 'verify', task: HashTask | VerifyTask): Promise<unknown> => {
    requireRoom()
    const result = pool.run(task, { name })
    inFlight.add(result)
    try {
      return await result
    } catch (cause) {
      throw new Unavailable('the password hasher failed', { cause, retryAfterSeconds })
    } finally {
      inFlight.delete(result)
    }
  }

  return {
    hash: async (password) => (await run('hash', { password, cost })) as string,
    verify: async (hash, password) =>
      (await run('verify', { password, hash: hashToCompute(hash, dummy), dummy })) as boolean,
    requireRoom,
    needsRehash: (hash) => differsFrom(cost, hash),
    queueDepth: () => Math.max(0, inFlight.size - threads),
    close: async () => {
      closed = true
      // The pool's own close would drop what still waits.
      await Promise.allSettled(inFlight)
      await pool.destroy()
    },
  }
}

const createPool = (threads: number, onWorkerError: PasswordHasherOptions['onWorkerError']) => {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  const pool = new Piscina({
    filename: new URL(`./password-worker${extension}`, import.meta.url).href,
    minThreads: 0,
    maxThreads: threads,
    maxQueue: Number.POSITIVE_INFINITY,
    idleTimeout: idleTimeoutMs,
    stricterFIFO: true,
    // Lowest priority: on few cores, signing tokens goes before hashing.
    niceIncrement: 19,
    // The threads see nothing of the environment, and no loader that the process was started with.
    env: {},
    execArgv: [],
    // JavaScript needs little; argon2's memory is not in this heap.
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
  })
  pool.on('error', (error: Error) => onWorkerError?.(error))
  return pool
}
