import { addSeconds } from '../clock.ts'
import { randomSecret } from '../secrets/random.ts'
import type { Sealer } from '../secrets/sealer.ts'
import type { KeyActor, MacKeyStore, StoredMacKey } from './key-store.ts'
import { objectionSeconds } from './lifecycle.ts'
import { highestMacKeyNumber, macKeyBytes, sealMacKey } from './mac-key.ts'
import type { KeyTiming } from './rotation-policy.ts'

export type MacKeyRotation =
  | { readonly outcome: 'rotated'; readonly number: number; readonly useFrom: Date }
  | { readonly outcome: 'refused'; readonly reason: string; readonly safeAt: Date | null }

type Options = {
  readonly macKeys: MacKeyStore
  readonly sealer: Sealer
  readonly timing: KeyTiming
  /** The longest life of a refresh token, in seconds. */
  readonly refreshTokenTtlSeconds: number
}

/** The key that was made last: the one in use, or the one that waits. */
export const findNewestMacKey = (keys: readonly StoredMacKey[]): StoredMacKey | undefined =>
  keys.toSorted((a, b) => Number(b.useFrom) - Number(a.useFrom))[0]

/** The number after the newest key's that no key has; after 255 come those that are free again. */
export const freeMacKeyNumber = (keys: readonly StoredMacKey[]): number | undefined => {
  const taken = new Set(keys.map(({ number }) => number))
  const newest = findNewestMacKey(keys)?.number ?? 0
  const numbers = Array.from(
    { length: highestMacKeyNumber },
    (_, index) => ((newest + index) % highestMacKeyNumber) + 1,
  )
  return numbers.find((number) => !taken.has(number))
}

/** How long a refresh token may be good after its MAC key was replaced. */
export const macKeyRetentionSeconds = (
  refreshTokenTtlSeconds: number,
  { nodeReloadSeconds, skewSeconds }: KeyTiming,
): number => refreshTokenTtlSeconds + nodeReloadSeconds + skewSeconds

/**
 * Whether the key that waits has been put off: a node could not open it, and may still not.
 * @param now the database's
 */
export const isMacKeyPutOff = (
  keys: readonly StoredMacKey[],
  now: Date,
  timing: KeyTiming,
): boolean => {
  const newest = findNewestMacKey(keys)
  if (newest === undefined || newest.useFrom <= now) return false
  // Times are read in milliseconds: what one says is not more than one wrong.
  const planned = addSeconds(newest.publishedAt, objectionSeconds(timing) + 0.001)
  return newest.useFrom > planned
}

/** Makes a key that signs once every node has loaded it; the old ones go on verifying. */
export const rotateMacKey = async (
  { macKeys, sealer, timing, refreshTokenTtlSeconds }: Options,
  by: KeyActor,
): Promise<MacKeyRotation> => {
  const { now, keys } = await macKeys.list()
  const newest = findNewestMacKey(keys)
  if (newest !== undefined && newest.useFrom > now) {
    const reason = 'the last new MAC key is not in use on every node yet'
    return { outcome: 'refused', reason, safeAt: newest.useFrom }
  }
  const number = freeMacKeyNumber(keys)
  if (number === undefined) {
    return { outcome: 'refused', reason: 'all 255 MAC-key numbers are taken', safeAt: null }
  }
  const sealedKey = sealMacKey(number, randomSecret(macKeyBytes), sealer)
  // Long enough for a node to object, and for the others to hear of that.
  const useAfterSeconds = objectionSeconds(timing)
  const retentionSeconds = macKeyRetentionSeconds(refreshTokenTtlSeconds, timing)
  const key = { number, sealedKey, useAfterSeconds, retentionSeconds }
  const useFrom = await macKeys.insert(key, by)
  return useFrom === undefined
    ? { outcome: 'refused', reason: 'another MAC key was made at the same moment', safeAt: now }
    : { outcome: 'rotated', number, useFrom }
}
