import { addSeconds } from '../clock.ts'
import { type SigningAlgorithm, signingAlgorithms } from '../oauth/algorithm.ts'
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
import { type MacKeyRotation, rotateMacKey } from './mac-key-rotation.ts'
import { reseal } from './resealing.ts'
import { createRotationPolicy } from './rotation-policy.ts'
import { generateSigningKey } from './signing-key.ts'

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
  reseal: (by) => reseal(options, by),
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
