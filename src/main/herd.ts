import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { Aggregation } from '../observability/aggregation.ts'
import { leavingMs, longestEndMs } from './endings.ts'
import { restartDelayMs } from './restart-delay.ts'
import { type ManagedWorker, startWorker } from './worker.ts'

/** The workers of one port. */
export type Herd = {
  /** How many serve. */
  size(): number
  /**
   * Starts one, which prepares the database, then the others.
   * @returns where they listen; undefined when they were stopped before.
   * @throws {StartFailure} when one of them ends instead; it has said why.
   */
  start(): Promise<AddressInfo | undefined>
  /** Puts a new worker in the place of each, one after the other. */
  replaceAll(): Promise<void>
  /** Has every worker report its metrics, as far as it has time. */
  reportAll(): Promise<void>
  /** Ends all of them gracefully. */
  stop(): Promise<void>
}

/** A worker that ended before it served; it has told the reason itself. */
export class StartFailure extends Error {
  constructor() {
    super('a worker ended before it served')
    this.name = 'StartFailure'
  }
}

type Options = {
  readonly config: Config
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly logger: Logger
  readonly aggregation: Aggregation
}

/** Whoever has served for so long was no crash at the start. */
const steadyMs = 10_000

export const createHerd = ({ config, environment, logger, aggregation }: Options): Herd => {
  const workers = new Set<ManagedWorker>()
  const leaving = new WeakSet<ManagedWorker>()
  let failures = 0
  let stopping = false
  let replacing: Promise<void> | undefined
  let replaceAgain = false

  const add = (prepares = false): ManagedWorker => {
    const worker = startWorker(
      // What must be done once for all has been done by the first.
      prepares ? environment : { ...environment, MIGRATE_ON_START: 'false' },
      aggregation.learn,
    )
    workers.add(worker)
    void worker.exit.then(() => {
      workers.delete(worker)
      aggregation.forget(worker.id)
    })
    return worker
  }

  // From now on a death that nobody asked for is answered with a new worker.
  const watch = async (worker: ManagedWorker): Promise<void> => {
    const served = () => worker.servedMs()
    const exit = await worker.exit
    if (stopping || leaving.has(worker)) return
    failures = served() > steadyMs ? 1 : failures + 1
    const delayMs = restartDelayMs(failures)
    logger.error({ worker: worker.id, ...exit, delayMs }, 'a worker ended; another takes its place')
    aggregation.countRestart()
    await delay(delayMs)
    if (!stopping) void watch(add())
  }

  const startOne = async (prepares: boolean): Promise<AddressInfo | undefined> => {
    const worker = add(prepares)
    const address = await worker.ready
    if (stopping) return undefined
    if (address === undefined) throw new StartFailure()
    void watch(worker)
    return address
  }

  const replace = async (old: ManagedWorker): Promise<boolean> => {
    const successor = add()
    if ((await successor.ready) === undefined) {
      logger.error('a new worker ended before it served: the old ones stay')
      return false
    }
    void watch(successor)
    // It may have ended meanwhile, and have been replaced like any that ends.
    const surplus = workers.has(old) ? old : successor
    leaving.add(surplus)
    surplus.order({ tessera: 'leave' })
    await endOf(surplus, longestEndMs(config, leavingMs(config)))
    return true
  }

  const replaceEach = async (): Promise<void> => {
    for (const old of [...workers].filter((worker) => worker.isReady())) {
      if (!workers.has(old)) continue
      if (stopping || !(await replace(old))) return
    }
    logger.info('all workers have been replaced')
  }

  return {
    size: () => [...workers].filter((worker) => worker.isReady() && !leaving.has(worker)).length,
    async start() {
      const address = await startOne(true)
      if (stopping) return undefined
      await Promise.all(Array.from({ length: config.workers - 1 }, () => startOne(false)))
      return stopping ? undefined : address
    },
    async replaceAll() {
      if (replacing !== undefined) {
        replaceAgain = true
        return replacing
      }
      logger.info('replacing the workers')
      do {
        replaceAgain = false
        replacing = replaceEach()
        await replacing
      } while (replaceAgain && !stopping)
      replacing = undefined
    },
    async reportAll() {
      const serving = [...workers].filter((worker) => worker.isReady())
      await Promise.all(serving.map((worker) => worker.report()))
    },
    async stop() {
      stopping = true
      const ending = [...workers]
      for (const worker of ending) worker.kill('SIGTERM')
      await Promise.all(ending.map((worker) => endOf(worker, longestEndMs(config))))
    },
  }
}

/** Waits for the end of a worker that was asked to; one that does not come to it is killed. */
const endOf = async (worker: ManagedWorker, limitMs: number): Promise<void> => {
  const limit = setTimeout(() => worker.kill('SIGKILL'), limitMs)
  await worker.exit
  clearTimeout(limit)
}
