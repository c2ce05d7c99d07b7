import type { Clock } from '../clock.ts'
import type { Sealer } from '../secrets/sealer.ts'
import type { SigningKeyStore, StoredSigningKey } from './key-store.ts'
import type { RingKey } from './lifecycle.ts'
import { type OpenedKey, openSigningKey } from './signing-key.ts'

export type LoadedKey = RingKey & OpenedKey

/** The opened signing keys in the memory of this process. */
export type LoadedKeys = {
  /**
   * Reads and opens the keys; on an error the former ones stay.
   * @param onUnopened told of each key that cannot be opened; if it throws, the load fails.
   */
  load(onUnopened: (error: unknown, keyId: string) => void): Promise<void>
  all(): LoadedKey[]
  find(keyId: string): LoadedKey | undefined
  /** The present moment: never before the last load by the database's time. */
  now(): Date
}

type Entry = LoadedKey & { readonly sealedPrivateKey: Buffer }

/** @param clock synchronised with the database, up to small errors. */
export const createLoadedKeys = (
  store: SigningKeyStore,
  sealer: Sealer,
  clock: Clock,
): LoadedKeys => {
  let entries: ReadonlyMap<string, Entry> = new Map()
  let databaseTime = new Date(0)
  let begun = 0
  let applied = 0

  const open = async (
    row: StoredSigningKey,
    onUnopened: (error: unknown, keyId: string) => void,
  ): Promise<Entry[]> => {
    const known = entries.get(row.keyId)
    if (known?.sealedPrivateKey.equals(row.sealedPrivateKey)) return [{ ...known, ...row }]
    try {
      return [{ ...(await openSigningKey(row, sealer)), ...row }]
    } catch (error) {
      onUnopened(error, row.keyId)
      // Another node sealed it again under a key that this one lacks; the key is the same.
      const { sealedPrivateKey: _unopened, ...times } = row
      return known === undefined ? [] : [{ ...known, ...times }]
    }
  }

  return {
    load: async (onUnopened) => {
      begun += 1
      const turn = begun
      const { now, keys } = await store.list()
      const opened = await Promise.all(keys.map((row) => open(row, onUnopened)))
      // Of two loads at once the one that began later knows more.
      if (turn < applied) return
      applied = turn
      entries = new Map(opened.flat().map((entry) => [entry.keyId, entry]))
      databaseTime = now
    },
    all: () => [...entries.values()],
    find: (keyId) => entries.get(keyId),
    now: () => new Date(Math.max(clock().getTime(), databaseTime.getTime())),
  }
}
