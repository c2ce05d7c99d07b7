import { Type } from 'typebox'
import type { EmergencyPlan } from '../../keys/emergency.ts'
import type { RotationPlan } from '../../keys/lifecycle.ts'
import type { MacKeyRotation } from '../../keys/mac-key-rotation.ts'
import type { KeySummary, MacKeySummary } from '../../keys/rotation.ts'
import { signingAlgorithms } from '../../oauth/algorithm.ts'
import { byCli, defineOperation, toTimestamp } from './operation.ts'

const nothing = Type.Object({})
const algorithm = Type.Enum(signingAlgorithms)

const keyToJson = (key: KeySummary) => ({
  kid: key.keyId,
  alg: key.algorithm,
  state: key.state,
  published_at: toTimestamp(key.publishedAt),
  sign_from: toTimestamp(key.signFrom),
  sign_until: toTimestamp(key.signUntil),
  drop_after: toTimestamp(key.dropAfter),
  safe_to_rotate_at: toTimestamp(key.safeToRotateAt),
  next_step: key.nextStep.step,
  next_step_at: toTimestamp(key.nextStep.at),
})

const macKeyToJson = (key: MacKeySummary) => ({
  number: key.number,
  state: key.state,
  use_from: toTimestamp(key.useFrom),
  replaced_at: toTimestamp(key.replacedAt),
  drop_after: toTimestamp(key.dropAfter),
})

const planToJson = (plan: RotationPlan) =>
  plan.outcome === 'refused'
    ? {
        alg: plan.algorithm,
        outcome: plan.outcome,
        reason: plan.reason,
        safe_at: toTimestamp(plan.safeAt),
      }
    : {
        alg: plan.algorithm,
        outcome: plan.outcome,
        retire: plan.retire,
        promote: plan.promote,
        sign_from: toTimestamp(plan.signFrom),
        drop_after: toTimestamp(plan.dropAfter),
      }

const macRotationToJson = (rotation: MacKeyRotation) =>
  rotation.outcome === 'refused'
    ? { outcome: rotation.outcome, reason: rotation.reason, safe_at: toTimestamp(rotation.safeAt) }
    : {
        outcome: rotation.outcome,
        number: rotation.number,
        use_from: toTimestamp(rotation.useFrom),
      }

const emergencyToJson = (plan: EmergencyPlan) =>
  plan.outcome === 'refused'
    ? { outcome: plan.outcome, reason: plan.reason }
    : {
        outcome: plan.outcome,
        revoked: [...plan.revoked],
        promoted: plan.promoted,
        consequences: plan.consequences.map(({ who, until }) => ({
          who,
          until: toTimestamp(until),
        })),
      }

export const keyOperations = {
  'keys.list': defineOperation(nothing, async ({ keyAdministration }) =>
    (await keyAdministration.list()).map(keyToJson),
  ),
  'keys.list_mac': defineOperation(nothing, async ({ keyAdministration }) =>
    (await keyAdministration.listMacKeys()).map(macKeyToJson),
  ),
  'keys.rotate': defineOperation(
    Type.Object({ algorithm: Type.Optional(algorithm), dryRun: Type.Boolean() }),
    async ({ keyAdministration }, input) =>
      (await keyAdministration.rotate({ ...input, by: byCli })).map(planToJson),
  ),
  'keys.rotate_mac': defineOperation(nothing, async ({ keyAdministration }) =>
    macRotationToJson(await keyAdministration.rotateMacKey(byCli)),
  ),
  'keys.promote_next': defineOperation(
    Type.Object({ algorithm, revoke: Type.String(), dryRun: Type.Boolean() }),
    async ({ keyAdministration }, input) =>
      emergencyToJson(await keyAdministration.promoteNext({ ...input, by: byCli })),
  ),
  'keys.replace_all': defineOperation(
    Type.Object({ keepRefreshTokens: Type.Boolean(), dryRun: Type.Boolean() }),
    async ({ keyAdministration }, input) =>
      emergencyToJson(await keyAdministration.replaceAll({ ...input, by: byCli })),
  ),
  'keys.reseal': defineOperation(nothing, async ({ keyAdministration }) => ({
    resealed: await keyAdministration.reseal(byCli),
  })),
}
