import { addSeconds } from '../clock.ts'
import { type SigningAlgorithm, signingAlgorithms } from '../oauth/algorithm.ts'
import { randomSecret } from '../secrets/random.ts'
import type { Sealer } from '../secrets/sealer.ts'
import { type EmergencyPlan, planPromotion, planReplacement } from './emergency.ts'
import type { KeyActor, KeyEmergencyStore, MacKeyStore, SigningKeyStore } from './key-store.ts'
import { type RotationPolicy, stateOf } from './lifecycle.ts'
import { macKeyBytes, sealMacKey } from './mac-key.ts'
import { freeMacKeyNumber, macKeyRetentionSeconds } from './mac-key-rotation.ts'
import type { KeyTiming } from './rotation-policy.ts'
import { generateSigningKey } from './signing-key.ts'

export type PromotionRequest = {
  readonly algorithm: SigningAlgorithm
  /** Id of the leaked key. */
  readonly revoke: string
  /** Only say what would happen. */
  readonly dryRun: boolean
  readonly by: KeyActor
}

export type ReplacementRequest = {
  /** Whether refresh tokens of the former MAC keys go on being accepted. */
  readonly keepRefreshTokens: boolean
  readonly dryRun: boolean
  readonly by: KeyActor
}

type Options = {
  readonly signingKeys: SigningKeyStore
  readonly macKeys: MacKeyStore
  readonly emergencies: KeyEmergencyStore
  readonly sealer: Sealer
  readonly rsaModulusBits: number
  readonly timing: KeyTiming
  readonly refreshTokenTtlSeconds: number
}

const changedMeanwhile: EmergencyPlan = {
  outcome: 'refused',
  reason: 'the keys were revoked or replaced at the same moment',
}

/** Revokes one key; where it signed, the published next one signs at once. */
export const promoteNext = async (
  { signingKeys, emergencies, sealer, rsaModulusBits }: Options,
  policy: RotationPolicy,
  { algorithm, revoke, dryRun, by }: PromotionRequest,
): Promise<EmergencyPlan> => {
  const { now, keys } = await signingKeys.list()
  const plan = planPromotion(keys, { algorithm, revoke }, now, policy)
  if (dryRun || plan.outcome === 'refused') return plan
  const next = await generateSigningKey(algorithm, rsaModulusBits, sealer)
  const done = await emergencies.promoteNext({ algorithm, revoke, next }, by)
  return done ? { ...plan, outcome: 'done' } : changedMeanwhile
}

/** Revokes every signing key and makes a new set; new refresh tokens get a new MAC key at once. */
export const replaceAll = async (
  options: Options,
  policy: RotationPolicy,
  { keepRefreshTokens, dryRun, by }: ReplacementRequest,
): Promise<EmergencyPlan> => {
  const { now, keys } = await options.signingKeys.list()
  const { refreshTokenTtlSeconds, timing } = options
  const retentionSeconds = macKeyRetentionSeconds(refreshTokenTtlSeconds, timing)
  const keptUntil = keepRefreshTokens ? addSeconds(now, retentionSeconds) : null
  const plan = planReplacement(keys, keptUntil, now, policy)
  if (dryRun || plan.outcome === 'refused') return plan
  const [signers, nexts] = await Promise.all([generateRings(options), generateRings(options)])
  const replacement = {
    expected: keys.filter((key) => stateOf(key, now) === 'current').map(({ keyId }) => keyId),
    ...{ signers, nexts, keepMacKeys: keepRefreshTokens },
  }
  // The schedule may take the number in between, once: it has nothing to do after that.
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const macKey = await makeMacKey(options)
    if (macKey === undefined) return { outcome: 'refused', reason: 'all 255 MAC keys are in use' }
    const done = await options.emergencies.replaceAll({ ...replacement, macKey }, by)
    if (done) return { ...plan, outcome: 'done' }
  }
  return changedMeanwhile
}

const generateRings = ({ rsaModulusBits, sealer }: Options) =>
  Promise.all(signingAlgorithms.map((each) => generateSigningKey(each, rsaModulusBits, sealer)))

const makeMacKey = async ({ macKeys, sealer, timing, refreshTokenTtlSeconds }: Options) => {
  const { keys } = await macKeys.list()
  const number = freeMacKeyNumber(keys)
  if (number === undefined) return undefined
  return {
    number,
    sealedKey: sealMacKey(number, randomSecret(macKeyBytes), sealer),
    useAfterSeconds: 0,
    retentionSeconds: macKeyRetentionSeconds(refreshTokenTtlSeconds, timing),
  }
}
