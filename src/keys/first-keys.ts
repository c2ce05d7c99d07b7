import { randomSecret } from '../secrets/random.ts'
import type { Sealer } from '../secrets/sealer.ts'
import type { MacKeyStore, SigningKeyStore } from './key-store.ts'
import { findMissingKeys, publicationSeconds } from './lifecycle.ts'
import { macKeyBytes, sealMacKey } from './mac-key.ts'
import { createRotationPolicy, type KeyTiming } from './rotation-policy.ts'
import { generateSigningKey } from './signing-key.ts'

/** Nobody asked for it. */
export const byTheService = { origin: {} }

/**
 * Gives each algorithm the keys that its ring lacks. Nodes that start at once make one set: each
 * generates its own, and the store takes only what is still missing.
 * @param rsaModulusBits size of RS256 and PS256 keys.
 */
export const ensureSigningKeys = async (
  store: SigningKeyStore,
  sealer: Sealer,
  rsaModulusBits: number,
  timing: KeyTiming,
): Promise<void> => {
  const { keys } = await store.list()
  const missing = findMissingKeys(keys)
  if (missing.length === 0) return
  // The very first keys are known to nobody, so they may sign at once. Those of an algorithm that
  // comes later wait until every verifier has fetched them.
  const signerAfterSeconds =
    keys.length === 0 ? 0 : publicationSeconds(createRotationPolicy(0, timing))
  const made = missing.map(async ({ algorithm, role }) => ({
    key: await generateSigningKey(algorithm, rsaModulusBits, sealer),
    signAfterSeconds: role === 'signer' ? signerAfterSeconds : null,
  }))
  await store.insertMissing(await Promise.all(made), byTheService)
}

/** Makes MAC key 1 when there is none. */
export const ensureMacKey = async (store: MacKeyStore, sealer: Sealer): Promise<void> => {
  const { keys } = await store.list()
  if (keys.length > 0) return
  const sealedKey = sealMacKey(1, randomSecret(macKeyBytes), sealer)
  await store.insert(
    { number: 1, sealedKey, useAfterSeconds: 0, retentionSeconds: 0 },
    byTheService,
  )
}
