import { addSeconds, type Clock } from '../clock.ts'
import { Unavailable } from '../oauth/unavailable.ts'
import type { Bus } from './bus.ts'
import type { RevocationEntry, RevocationKind } from './entry.ts'

/** A reading of the table at one moment of the database. */
export type RevocationReading = {
  readonly entries: readonly RevocationEntry[]
  readonly now: Date
  /** Differs when another server, the same one restarted, or another table answers. */
  readonly server: string
  /** False of a standby, and of any other server that only reads. */
  readonly writable: boolean
}

export type RevocationStore = {
  readLive(): Promise<RevocationReading>
  readChangedSince(since: Date): Promise<RevocationReading>
  /** Puts back entries that a failover or a restore lost, and ends again what they had ended. */
  insertMissing(entries: readonly RevocationEntry[]): Promise<void>
}

/** What a token says about itself, as far as a revocation can name it. */
export type RevocableClaims = {
  readonly keyId?: string
  readonly tokenId?: string
  readonly familyId?: string
  readonly sessionId?: string
  readonly subject?: string
  readonly clientId?: string
}

export type Revocations = {
  /** From memory, in constant time. @returns what names the token, or undefined. */
  revokedBy(claims: RevocableClaims): RevocationKind | undefined
  /**
   * After the commit of an act that wrote entries, before it is answered: this node learns them,
   * the others are told to look.
   * @throws {Unavailable} when the database stopped answering; the act itself stands.
   */
  announce(): Promise<void>
  /** @throws {Unavailable} when what is known is older and cannot be renewed now. */
  ensureFresh(maxStalenessMs: number): Promise<void>
  /** Milliseconds since the last reading. */
  stalenessMs(): number
  /** Calls `listener` whenever an entry of the kind becomes known after the start. */
  watch(kind: RevocationKind, listener: () => void): void
  /** Loads everything and polls from then on. */
  start(): Promise<void>
  close(): Promise<void>
}

type Options = {
  readonly store: RevocationStore
  readonly bus: Bus
  /** Told the database's time at every reading, and whether it takes writes. */
  readonly onReading?: (now: Date, writable: boolean) => Promise<void> | void
  readonly onFailure?: (error: unknown) => void
  readonly clock: Clock
  readonly pollMs?: number
}

// Transactions are bounded far below this, so an entry that commits late is still seen.
const overlapSeconds = 60

const checks: readonly (readonly [RevocationKind, keyof RevocableClaims])[] = [
  ['kid', 'keyId'],
  ['jti', 'tokenId'],
  ['fam', 'familyId'],
  ['sid', 'sessionId'],
  ['sub', 'subject'],
  ['client', 'clientId'],
]

/** The live entries in this node's memory; the table is the truth (design: revocation). */
export const createRevocations = (options: Options): Revocations => {
  const entries = new Map<string, RevocationEntry>()
  const listeners: { readonly kind: RevocationKind; readonly listener: () => void }[] = []
  let newest: Date | undefined
  let server: string | undefined
  let readAt = Number.NEGATIVE_INFINITY
  let running: Promise<void> | undefined
  let following: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const learn = (reading: RevocationReading): void => {
    const news = new Set<RevocationKind>()
    for (const entry of reading.entries) {
      const key = keyOf(entry.kind, entry.value)
      if (!entries.has(key)) news.add(entry.kind)
      entries.set(key, entry)
      if (newest === undefined || entry.changedAt > newest) newest = entry.changedAt
    }
    newest ??= reading.now
    const isFirst = readAt === Number.NEGATIVE_INFINITY
    if (!isFirst) for (const each of listeners.filter(({ kind }) => news.has(kind))) each.listener()
  }

  const forgetExpired = (now: Date): void => {
    for (const [key, entry] of entries) if (entry.expiresAt <= now) entries.delete(key)
  }

  // Another server answers, the same after a restart, or a restored table: it may have lost what we
  // know.
  const reconcile = async (): Promise<RevocationReading> => {
    const reading = await options.store.readLive()
    const present = new Set(reading.entries.map(({ kind, value }) => keyOf(kind, value)))
    const missing = [...entries]
      .filter(([key, entry]) => !present.has(key) && !entry.lifted && entry.expiresAt > reading.now)
      .map(([, entry]) => entry)
    if (missing.length > 0 && reading.writable) await options.store.insertMissing(missing)
    newest = undefined
    return reading
  }

  const read = async (): Promise<void> => {
    const started = performance.now()
    let reading =
      newest === undefined
        ? await options.store.readLive()
        : await options.store.readChangedSince(addSeconds(newest, -overlapSeconds))
    if (server !== undefined && reading.server !== server) reading = await reconcile()
    // The database's clock went back: what is new now looks older than what is known.
    else if (newest !== undefined && reading.now < newest) reading = await options.store.readLive()
    // Else it is compared again, until what it lacks can be put back.
    if (reading.writable) server = reading.server
    learn(reading)
    forgetExpired(reading.now)
    readAt = started
    await options.onReading?.(reading.now, reading.writable)
  }

  const begin = (): Promise<void> => {
    running = read().finally(() => {
      running = undefined
    })
    return running
  }

  // A reading that is under way may have begun before the caller's commit: theirs is the next one.
  const catchUp = (): Promise<void> => {
    if (running === undefined) return begin()
    following ??= running
      .catch(() => undefined)
      .then(() => {
        following = undefined
        return begin()
      })
    return following
  }

  const poll = async (): Promise<void> => {
    await catchUp().catch((error: unknown) => options.onFailure?.(error))
    if (!closed) timer = setTimeout(poll, options.pollMs ?? 500)
  }

  options.bus.subscribe('revocations', () => {
    if (!closed) void catchUp().catch((error: unknown) => options.onFailure?.(error))
  })

  return {
    revokedBy(claims) {
      const now = options.clock()
      return checks.find(([kind, claim]) => {
        const value = claims[claim]
        const entry = value === undefined ? undefined : entries.get(keyOf(kind, value))
        return entry !== undefined && !entry.lifted && entry.expiresAt > now
      })?.[0]
    },
    async announce() {
      options.bus.publish('revocations')
      await catchUp()
    },
    async ensureFresh(maxStalenessMs) {
      if (performance.now() - readAt <= maxStalenessMs) return
      await catchUp().catch((cause: unknown) => {
        throw new Unavailable('the revocations known here are too old', { cause })
      })
    },
    stalenessMs: () => performance.now() - readAt,
    watch: (kind, listener) => void listeners.push({ kind, listener }),
    async start() {
      await catchUp()
      timer = setTimeout(poll, options.pollMs ?? 500)
    },
    async close() {
      closed = true
      clearTimeout(timer)
      await Promise.allSettled([running, following])
    },
  }
}

const keyOf = (kind: RevocationKind, value: string): string => `${kind}:${value}`
