import type { SigningAlgorithm } from '../oauth/algorithm.ts'
import { signingAlgorithms } from '../oauth/algorithm.ts'
import type { Sealer } from '../secrets/sealer.ts'
import type { KeyActor, SigningKeyStore } from './key-store.ts'
import {
  leadSeconds,
  objectionSeconds,
  planRotation,
  publicationSeconds,
  type RotationPlan,
  type RotationPolicy,
  retentionSeconds,
} from './lifecycle.ts'
import { generateSigningKey } from './signing-key.ts'

export type RotationRequest = {
  /** All when absent. */
  readonly algorithm?: SigningAlgorithm
  /** Only say what would happen. */
  readonly dryRun: boolean
  readonly by: KeyActor
}

type Options = {
  readonly signingKeys: SigningKeyStore
  readonly sealer: Sealer
  readonly rsaModulusBits: number
}

/** Rotates each chosen ring where that is safe. */
export const rotateRings = async (
  options: Options,
  policy: RotationPolicy,
  { algorithm, dryRun, by }: RotationRequest,
): Promise<RotationPlan[]> => {
  const chosen = algorithm === undefined ? signingAlgorithms : [algorithm]
  const { now, keys } = await options.signingKeys.list()
  const plans = chosen.map((each) => planRotation(keys, each, now, policy))
  return dryRun ? plans : Promise.all(plans.map((plan) => carryOut(options, plan, policy, by)))
}

/** Does what a plan says, from exactly the state that it was made for. */
export const carryOut = async (
  { signingKeys, sealer, rsaModulusBits }: Options,
  plan: RotationPlan,
  policy: RotationPolicy,
  by: KeyActor,
): Promise<RotationPlan> => {
  if (plan.outcome === 'refused') return plan
  const { algorithm, retire, promote } = plan
  const next = await generateSigningKey(algorithm, rsaModulusBits, sealer)
  const rotation = {
    ...{ algorithm, retire, promote, next },
    leadSeconds: leadSeconds(policy),
    publicationSeconds: publicationSeconds(policy),
    objectionSeconds: objectionSeconds(policy),
    retentionSeconds: retentionSeconds(policy),
  }
  const changeover = await signingKeys.rotate(rotation, by)
  if (changeover !== undefined) return { ...plan, outcome: 'rotated', ...changeover }
  const present = await signingKeys.list()
  const refusal = planRotation(present.keys, algorithm, present.now, policy)
  if (refusal.outcome === 'refused') return refusal
  const reason = 'the ring changed at the same moment'
  return { algorithm, outcome: 'refused', reason, safeAt: present.now }
}
