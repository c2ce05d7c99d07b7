import { Unavailable } from '../oauth/unavailable.ts'
import type { Client } from './client.ts'
import { isClientId } from './client-id.ts'
import type { ClientStore } from './client-store.ts'

/** The registered clients, from memory where that is fresh enough. */
export type Clients = {
  /**
   * @param maxAgeMs how old an answer from memory may be; default 60 s
   * @throws {Unavailable} when the client is not in memory and the database does not answer.
   */
  find(clientId: string, maxAgeMs?: number): Promise<Client | undefined>
  /**
   * One client, or any, may have changed: the next one who asks has it read again. While the
   * database does not answer, what is known serves on until it is 60 s old.
   */
  invalidate(clientId?: string): void
}

type ClientDirectoryOptions = {
  readonly store: Pick<ClientStore, 'find'>
  /** Milliseconds of a clock that never goes back. */
  readonly uptimeMs?: () => number
}

const maxAge = 60_000
// A client in use is read again before its entry is too old, so that nobody waits for it, and so
// that an outage of the database finds entries that still have half of their time.
const refreshAfter = 30_000
const attemptEvery = 1000
const absentFor = 1000
const knownLimit = 10_000
const absentLimit = 1000
const never = Number.NEGATIVE_INFINITY

/** A positive answer; its age counts from before it was read. */
type Entry = {
  readonly client: Client
  readonly readAt: number
  attemptedAt: number
  outdated: boolean
}

/** Adds at the end; the oldest go once there are too many. */
const put = <V>(map: Map<string, V>, key: string, value: V, limit: number): void => {
  map.delete(key)
  map.set(key, value)
  for (const oldest of map.keys()) {
    if (map.size <= limit) return
    map.delete(oldest)
  }
}

export const createClientDirectory = ({
  store,
  uptimeMs = () => performance.now(),
}: ClientDirectoryOptions): Clients => {
  const known = new Map<string, Entry>()
  const absent = new Map<string, number>()
  const reading = new Map<string, Promise<Client | undefined>>()

  const remember = (id: string, client: Client | undefined, readAt: number): void => {
    known.delete(id)
    if (client === undefined) put(absent, id, readAt, absentLimit)
    else put(known, id, { client, readAt, attemptedAt: never, outdated: false }, knownLimit)
  }

  // One read at a time for each client. One that began before the client was invalidated is no
  // longer in `reading`, and what it finds is not remembered.
  const read = (id: string): Promise<Client | undefined> => {
    const running = reading.get(id)
    if (running !== undefined) return running
    const readAt = uptimeMs()
    const own = store
      .find(id)
      .then((client) => {
        if (reading.get(id) === own) remember(id, client, readAt)
        return client
      })
      .finally(() => {
        if (reading.get(id) === own) reading.delete(id)
      })
    reading.set(id, own)
    return own
  }

  const mayAttempt = (entry: Entry, now: number): boolean => {
    if (now - entry.attemptedAt < attemptEvery) return false
    entry.attemptedAt = now
    return true
  }

  const serve = async (id: string, entry: Entry, now: number): Promise<Client | undefined> => {
    if (!entry.outdated) {
      // Nobody waits for this one: without an answer the entry serves on until it is too old.
      if (now - entry.readAt >= refreshAfter && mayAttempt(entry, now)) read(id).catch(() => {})
      return entry.client
    }
    if (!reading.has(id) && !mayAttempt(entry, now)) return entry.client
    return read(id).catch((error: unknown) => {
      if (error instanceof Unavailable) return entry.client
      throw error
    })
  }

  return {
    async find(id, maxAgeMs = maxAge) {
      if (!isClientId(id)) return undefined
      const now = uptimeMs()
      const entry = known.get(id)
      if (entry !== undefined && now - entry.readAt <= maxAgeMs) return serve(id, entry, now)
      const absentSince = absent.get(id)
      if (absentSince !== undefined && now - absentSince <= absentFor) return undefined
      return read(id)
    },
    invalidate(id) {
      const outdated = id === undefined ? known.values() : [known.get(id)]
      for (const entry of outdated) {
        if (entry !== undefined) Object.assign(entry, { outdated: true, attemptedAt: never })
      }
      for (const map of [absent, reading]) {
        if (id === undefined) map.clear()
        else map.delete(id)
      }
    },
  }
}
