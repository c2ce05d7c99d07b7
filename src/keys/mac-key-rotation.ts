import { randomSecret } from '../secrets/random.ts'
import type { Sealer } from '../secrets/sealer.ts'
import type { KeyActor, MacKeyStore } from './key-store.ts'
import { highestMacKeyNumber, macKeyBytes, sealMacKey } from './mac-key.ts'
import { keyReloadIntervalMs } from './rotation-policy.ts'

export type MacKeyRotation =
  | { readonly outcome: 'rotated'; readonly number: number; readonly useFrom: Date }
  | { readonly outcome: 'refused'; readonly reason: string; readonly safeAt: Date | null }

type Options = { readonly macKeys: MacKeyStore; readonly sealer: Sealer }

/** Makes a key that signs once every node has loaded it; the old ones go on verifying. */
export const rotateMacKey = async (
  { macKeys, sealer }: Options,
  by: KeyActor,
): Promise<MacKeyRotation> => {
  const { now, keys } = await macKeys.list()
  const newest = keys.at(-1)
  if (newest !== undefined && newest.useFrom > now) {
    const reason = 'the last new MAC key is not in use on every node yet'
    return { outcome: 'refused', reason, safeAt: newest.useFrom }
  }
  const number = (newest?.number ?? 0) + 1
  if (number > highestMacKeyNumber) {
    return { outcome: 'refused', reason: 'all 255 MAC-key numbers are taken', safeAt: null }
  }
  const useAfterSeconds = (2 * keyReloadIntervalMs) / 1000
  const sealedKey = sealMacKey(number, randomSecret(macKeyBytes), sealer)
  const useFrom = await macKeys.insert({ number, sealedKey, useAfterSeconds }, by)
  return useFrom === undefined
    ? { outcome: 'refused', reason: 'another MAC key was made at the same moment', safeAt: null }
    : { outcome: 'rotated', number, useFrom }
}
