import type { Clock } from '../clock.ts'
import { Unavailable } from '../oauth/unavailable.ts'
import { randomId } from '../secrets/random.ts'
import type { RecordedEvent } from './event.ts'

export type AuditStore = {
  /** Events that stand in the log already, by their stamp, are not written again. */
  append(events: readonly RecordedEvent[]): Promise<void>
}

/**
 * Takes events that observe something and belong to no transaction: in batches, bounded in memory,
 * written out on close. Acts that change something write theirs in their own transaction.
 */
export type AuditWriter = {
  record(event: RecordedEvent): void
  /**
   * For an act without a transaction, which is not to be done when it cannot be told of: settles
   * when the event stands in the log.
   * @throws {Unavailable} when the database does not answer
   */
  write(event: RecordedEvent): Promise<void>
  /** As `record`, but events with the same key only once a minute: nobody can flood the table. */
  recordOncePerMinute(key: string, event: RecordedEvent): void
  /** Events in memory that are not written yet. */
  waiting(): number
  /** Events lost because the database stayed away too long, or refused them. */
  dropped(): number
  /** Tries once more to write what waits; what cannot be written then is lost. */
  close(): Promise<void>
}

type Options = {
  readonly store: AuditStore
  /** The database's time as this node knows it: what waits is told with the time it happened. */
  readonly clock: Clock
  readonly onFailure: (error: unknown) => void
  readonly flushMs?: number
  readonly capacity?: number
}

const batchSize = 100
const rememberedKeys = 10_000

export const createAuditWriter = (options: Options): AuditWriter => {
  const { store, clock, onFailure, flushMs = 200, capacity = 10_000 } = options
  const pending: RecordedEvent[] = []
  const seen = new Map<string, number>()
  let dropped = 0
  let timer: NodeJS.Timeout | undefined
  let flushing: Promise<void> | undefined
  let closed = false

  const flush = async (): Promise<void> => {
    while (pending.length > 0) {
      const batch = pending.slice(0, batchSize)
      await store.append(batch).catch((error: unknown) => {
        // A batch that the database refuses would be refused for ever; one it cannot take now waits.
        if (error instanceof Unavailable) throw error
        dropped += batch.length
        onFailure(error)
      })
      pending.splice(0, batch.length)
    }
  }

  const schedule = (delay: number): void => {
    if (closed) return
    timer ??= setTimeout(() => {
      flushing = flush()
        .catch((error: unknown) => {
          onFailure(error)
        })
        .finally(() => {
          flushing = undefined
          timer = undefined
          if (pending.length > 0) schedule(Math.min(delay * 2, 5000))
        })
    }, delay)
  }

  const stamped = (event: RecordedEvent): RecordedEvent => ({
    ...event,
    stamp: { id: randomId(), at: clock() },
  })

  const record = (event: RecordedEvent): void => {
    if (pending.length >= capacity) {
      dropped += 1
      return
    }
    pending.push(stamped(event))
    schedule(flushMs)
  }

  return {
    record,
    write: (event) => store.append([stamped(event)]),
    recordOncePerMinute(key, event) {
      const now = performance.now()
      const last = seen.get(key)
      if (last !== undefined && now - last < 60_000) return
      seen.delete(key)
      seen.set(key, now)
      const [oldest] = seen.keys()
      if (seen.size > rememberedKeys && oldest !== undefined) seen.delete(oldest)
      record(event)
    },
    waiting: () => pending.length,
    dropped: () => dropped,
    async close() {
      closed = true
      clearTimeout(timer)
      await flushing
      await flush().catch(onFailure)
    },
  }
}
