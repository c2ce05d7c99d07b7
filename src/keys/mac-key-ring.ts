import { createSecretKey } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { Unavailable } from '../oauth/unavailable.ts'
import type { MacKey, MacKeys } from '../secrets/refresh-token.ts'
import type { Sealer } from '../secrets/sealer.ts'
import { ensureMacKey } from './first-keys.ts'
import type { MacKeyStore, StoredMacKey } from './key-store.ts'
import { objectionSeconds } from './lifecycle.ts'
import { openMacKey } from './mac-key.ts'
import { defaultKeyTiming } from './rotation-policy.ts'

/** The keys that authenticate refresh tokens, in memory. */
export type MacKeyRing = MacKeys & {
  /** Reads the keys again. A failure is logged; the keys in memory stay. */
  reload(): Promise<void>
  /**
   * Makes key 1 when there is none, proves that all can be opened, and keeps them up to date.
   * @throws {SealError} with a sentence that says what to do.
   */
  start(): Promise<void>
  close(): void
}

export type MacKeyRingOptions = {
  readonly store: MacKeyStore
  readonly sealer: Sealer
  /** Synchronised with the database. */
  readonly clock: Clock
  readonly logger: { error(details: object, message: string): void }
  readonly reloadIntervalMs?: number
}

type LoadedKey = StoredMacKey & MacKey
type Lookup = { readonly startedAt: number; readonly succeeded: Promise<boolean> }

const lookupIntervalMs = 1000

export const createMacKeyRing = (options: MacKeyRingOptions): MacKeyRing => {
  const { store, sealer, clock, logger } = options
  const intervalMs = options.reloadIntervalMs ?? defaultKeyTiming.nodeReloadSeconds * 1000
  let keys: ReadonlyMap<number, LoadedKey> = new Map()
  let unopened: ReadonlySet<number> = new Set()
  let databaseTime = new Date(0)
  let begun = 0
  let applied = 0
  let lastLookup: Lookup | undefined
  let timer: NodeJS.Timeout | undefined

  const open = (row: StoredMacKey, onUnopened: (error: unknown) => void): LoadedKey | undefined => {
    const known = keys.get(row.number)
    if (known?.sealedKey.equals(row.sealedKey)) return { ...known, ...row }
    try {
      return { ...row, key: createSecretKey(openMacKey(row, sealer)) }
    } catch (error) {
      onUnopened(error)
      // Another node sealed it again under a key that this one lacks; the key is the same.
      return known && { ...known, useFrom: row.useFrom, dropAfter: row.dropAfter }
    }
  }

  const load = async (onUnopened: (error: unknown) => void): Promise<void> => {
    begun += 1
    const turn = begun
    const listed = await store.list()
    // Of two loads at once the one that began later knows more.
    if (turn < applied) return
    applied = turn
    const opened = listed.keys.map((row) => ({ row, key: open(row, onUnopened) }))
    unopened = new Set(opened.flatMap(({ row, key }) => (key === undefined ? [row.number] : [])))
    keys = new Map(opened.flatMap(({ key }) => (key === undefined ? [] : [[key.number, key]])))
    databaseTime = listed.now
  }

  const tryReload = async (): Promise<boolean> => {
    try {
      await load((error) => logger.error({ err: error }, 'a MAC key cannot be opened'))
      await store.putOff([...unopened], objectionSeconds({ nodeReloadSeconds: intervalMs / 1000 }))
      return true
    } catch (error) {
      logger.error({ err: error }, 'the MAC keys could not be read again')
      return false
    }
  }

  // At most one a second for the process: tokens with invented numbers must not become SQL.
  const lookUp = (): Promise<boolean> => {
    const now = performance.now()
    if (lastLookup === undefined || now - lastLookup.startedAt >= lookupIntervalMs) {
      lastLookup = { startedAt: now, succeeded: tryReload() }
    }
    return lastLookup.succeeded
  }

  return {
    current: () => {
      // The database was at `databaseTime` already, whatever the clock says.
      const now = Math.max(clock().getTime(), databaseTime.getTime())
      const usable = [...keys.values()].filter((key) => key.useFrom.getTime() <= now)
      const newest = usable.sort((a, b) => Number(b.useFrom) - Number(a.useFrom))[0]
      if (newest === undefined) throw new Unavailable('no MAC key is in use yet')
      return { number: newest.number, key: newest.key }
    },
    find: async (number) => {
      const known = keys.get(number)
      if (known !== undefined || number === 0) return known?.key
      // While the keys cannot be read, a number that is unknown here may well be genuine.
      if (!(await lookUp())) throw new Unavailable('the MAC keys cannot be read')
      const found = keys.get(number)
      // Sealed under a key-encryption key that is not configured here: its tokens are genuine.
      if (found === undefined && unopened.has(number)) {
        throw new Unavailable('the MAC key of a token cannot be opened')
      }
      return found?.key
    },
    reload: async () => {
      await tryReload()
    },
    start: async () => {
      await ensureMacKey(store, sealer)
      await load((error) => {
        throw error
      })
      timer = setInterval(() => void tryReload(), intervalMs)
      timer.unref()
    },
    close: () => clearInterval(timer),
  }
}
