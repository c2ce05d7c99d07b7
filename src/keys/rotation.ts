import { addSeconds } from '../clock.ts'
import { type SigningAlgorithm, signingAlgorithms } from '../oauth/algorithm.ts'
import { randomSecret } from '../secrets/random.ts'
import type { Sealer } from '../secrets/sealer.ts'
import type { KeyActor, MacKeyStore, SigningKeyStore } from './key-store.ts'
import {
  type KeyState,
  planRotation,
  publicationSeconds,
  type RingKey,
  type RotationPlan,
  type RotationPolicy,
  retentionSeconds,
  stateOf,
} from './lifecycle.ts'
import { highestMacKeyNumber, macKeyBytes, openMacKey, sealMacKey } from './mac-key.ts'
import { createRotationPolicy, keyReloadIntervalMs } from './rotation-policy.ts'
import { generateSigningKey, resealSigningKey } from './signing-key.ts'

export type KeySummary = RingKey & {
  readonly state: KeyState
  /** Of a next key: the earliest time at which it may be promoted. */
  readonly safeToRotateAt: Date | null
}

export type RotationRequest = {
  /** All when absent. */
  readonly algorithm?: SigningAlgorithm
  /** Only say what would happen. */
  readonly dryRun: boolean
  readonly by: KeyActor
}

export type MacKeyRotation =
  | { readonly outcome: 'rotated'; readonly number: number; readonly useFrom: Date }
  | { readonly outcome: 'refused'; readonly reason: string; readonly safeAt: Date | null }

export type KeyAdministration = {
  /** The keys that are not gone, by algorithm, oldest first. */
  list(): Promise<KeySummary[]>
  /** Promotes the next key of each ring where that is safe, and publishes a new next one. */
  rotate(request: RotationRequest): Promise<RotationPlan[]>
  /** Makes a MAC key that is used once every node has loaded it. */
  rotateMacKey(by: KeyActor): Promise<MacKeyRotation>
  /** Seals again what is sealed under another than the newest key. @returns how many keys. */
  reseal(by: KeyActor): Promise<number>
}

export type KeyAdministrationOptions = {
  readonly signingKeys: SigningKeyStore
  readonly macKeys: MacKeyStore
  readonly sealer: Sealer
  readonly rsaModulusBits: number
  /** Of any token that is signed, in seconds. */
  readonly longestTokenLifetimeSeconds: () => Promise<number>
}

export const createKeyAdministration = (options: KeyAdministrationOptions): KeyAdministration => ({
  list: () => list(options),
  rotate: (request) => rotate(options, request),
  rotateMacKey: (by) => rotateMacKey(options, by),
  reseal: async (by) => (await resealSigningKeys(options, by)) + (await resealMacKeys(options, by)),
})

const readPolicy = async (options: KeyAdministrationOptions): Promise<RotationPolicy> =>
  createRotationPolicy(await options.longestTokenLifetimeSeconds())

const list = async (options: KeyAdministrationOptions): Promise<KeySummary[]> => {
  const policy = await readPolicy(options)
  const { now, keys } = await options.signingKeys.list()
  return keys.map(({ sealedPrivateKey: _sealed, ...key }) => ({
    ...key,
    state: stateOf(key, now),
    safeToRotateAt:
      key.signFrom === null ? addSeconds(key.publishedAt, publicationSeconds(policy)) : null,
  }))
}

const rotate = async (
  options: KeyAdministrationOptions,
  request: RotationRequest,
): Promise<RotationPlan[]> => {
  const policy = await readPolicy(options)
  const chosen = request.algorithm === undefined ? signingAlgorithms : [request.algorithm]
  const { now, keys } = await options.signingKeys.list()
  const plans = chosen.map((algorithm) => planRotation(keys, algorithm, now, policy))
  if (request.dryRun) return plans
  return Promise.all(plans.map((plan) => carryOut(options, plan, policy, request.by)))
}

const carryOut = async (
  options: KeyAdministrationOptions,
  plan: RotationPlan,
  policy: RotationPolicy,
  by: KeyActor,
): Promise<RotationPlan> => {
  if (plan.outcome === 'refused') return plan
  const { signingKeys, sealer, rsaModulusBits } = options
  const { algorithm, retire, promote } = plan
  const next = await generateSigningKey(algorithm, rsaModulusBits, sealer)
  const dropAfter = await signingKeys.rotate(
    {
      algorithm,
      retire,
      promote,
      next,
      publicationSeconds: publicationSeconds(policy),
      retentionSeconds: retentionSeconds(policy),
    },
    by,
  )
  if (dropAfter !== undefined) return { ...plan, outcome: 'rotated', dropAfter }
  const present = await signingKeys.list()
  const refusal = planRotation(present.keys, algorithm, present.now, policy)
  return refusal.outcome === 'refused'
    ? refusal
    : {
        algorithm,
        outcome: 'refused',
        reason: 'the ring changed at the same moment',
        safeAt: present.now,
      }
}

const rotateMacKey = async (
  { macKeys, sealer }: KeyAdministrationOptions,
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

const resealSigningKeys = async (
  { signingKeys, sealer }: KeyAdministrationOptions,
  by: KeyActor,
): Promise<number> => {
  const { keys } = await signingKeys.list()
  let count = 0
  for (const key of keys.filter((stored) => !sealer.isCurrent(stored.sealedPrivateKey))) {
    const sealed = resealSigningKey(key, sealer)
    if (await signingKeys.reseal(key.keyId, key.sealedPrivateKey, sealed, by)) count += 1
  }
  return count
}

const resealMacKeys = async (
  { macKeys, sealer }: KeyAdministrationOptions,
  by: KeyActor,
): Promise<number> => {
  const { keys } = await macKeys.list()
  let count = 0
  for (const key of keys.filter((stored) => !sealer.isCurrent(stored.sealedKey))) {
    const sealed = sealMacKey(key.number, openMacKey(key, sealer), sealer)
    if (await macKeys.reseal(key.number, key.sealedKey, sealed, by)) count += 1
  }
  return count
}
