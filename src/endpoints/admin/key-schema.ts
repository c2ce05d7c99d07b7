import { type Static, Type } from 'typebox'
import type { EmergencyPlan } from '../../keys/emergency.ts'
import type { RotationPlan } from '../../keys/lifecycle.ts'
import type { MacKeyRotation } from '../../keys/mac-key-rotation.ts'
import type { KeySummary, MacKeySummary } from '../../keys/rotation.ts'
import { nullableText } from '../auth/user-schema.ts'

const time = (description: string) => nullableText({ format: 'date-time', description })

export const keySchema = Type.Object(
  {
    kid: Type.String(),
    alg: Type.String(),
    state: Type.String({ description: '`next`, `current` or `retired`' }),
    published_at: Type.String({ format: 'date-time' }),
    sign_from: time('null: waits to be promoted'),
    sign_until: time('null: until it is replaced'),
    drop_after: time('When nothing that it signed can be valid any more'),
    safe_to_rotate_at: time('Of a next key: the earliest time at which it may be promoted'),
    next_step: Type.String({ description: '`sign`, `retire` or `remove`: what becomes of it' }),
    next_step_at: time('When; null: only when somebody rotates'),
  },
  { description: 'A signing key' },
)

export const planSchema = Type.Object(
  {
    alg: Type.String(),
    outcome: Type.String({ description: '`planned`, `rotated` or `refused`' }),
    retire: Type.Optional(Type.String({ description: 'kid' })),
    promote: Type.Optional(Type.String({ description: 'kid' })),
    sign_from: Type.Optional(
      Type.String({ format: 'date-time', description: 'When `promote` takes over' }),
    ),
    drop_after: Type.Optional(Type.String({ format: 'date-time' })),
    reason: Type.Optional(Type.String({ description: 'Why it was refused' })),
    safe_at: Type.Optional(time('When it becomes safe; null: not by waiting')),
  },
  { description: 'What a rotation of one algorithm does, or why it may not' },
)

const toTime = (date: Date | null): string | null => date?.toISOString() ?? null

export const toWireKey = (key: KeySummary): Static<typeof keySchema> => ({
  kid: key.keyId,
  alg: key.algorithm,
  state: key.state,
  published_at: key.publishedAt.toISOString(),
  sign_from: toTime(key.signFrom),
  sign_until: toTime(key.signUntil),
  drop_after: toTime(key.dropAfter),
  safe_to_rotate_at: toTime(key.safeToRotateAt),
  next_step: key.nextStep.step,
  next_step_at: toTime(key.nextStep.at),
})

export const macKeySchema = Type.Object(
  {
    number: Type.Integer({ description: 'By which refresh tokens name it' }),
    state: Type.String({ description: '`next`, `current` or `retired`' }),
    use_from: Type.String({ format: 'date-time' }),
    replaced_at: time('When the schedule makes its successor'),
    drop_after: time('When no token that it made can be good any more'),
  },
  { description: 'A key that authenticates refresh tokens' },
)

export const toWireMacKey = (key: MacKeySummary): Static<typeof macKeySchema> => ({
  number: key.number,
  state: key.state,
  use_from: key.useFrom.toISOString(),
  replaced_at: toTime(key.replacedAt),
  drop_after: toTime(key.dropAfter),
})

export const macRotationSchema = Type.Object(
  {
    outcome: Type.String({ description: '`rotated` or `refused`' }),
    number: Type.Optional(Type.Integer()),
    use_from: Type.Optional(Type.String({ format: 'date-time' })),
    reason: Type.Optional(Type.String({ description: 'Why it was refused' })),
    safe_at: Type.Optional(time('When it becomes safe; null: not by waiting')),
  },
  { description: 'What was done' },
)

export const toWireMacRotation = (rotation: MacKeyRotation): Static<typeof macRotationSchema> =>
  rotation.outcome === 'refused'
    ? { outcome: rotation.outcome, reason: rotation.reason, safe_at: toTime(rotation.safeAt) }
    : {
        outcome: rotation.outcome,
        number: rotation.number,
        use_from: rotation.useFrom.toISOString(),
      }

export const emergencySchema = Type.Object(
  {
    outcome: Type.String({ description: '`planned`, `done` or `refused`' }),
    revoked: Type.Optional(Type.Array(Type.String(), { description: 'kids' })),
    promoted: Type.Optional(nullableText({ description: 'kid of the key that signs at once' })),
    consequences: Type.Optional(
      Type.Array(
        Type.Object({
          who: Type.String({ description: 'Whom it hurts, in a sentence' }),
          until: time('null: for good'),
        }),
      ),
    ),
    reason: Type.Optional(Type.String({ description: 'Why it was refused' })),
  },
  { description: 'What was done, or would be, and whom it hurts' },
)

export const toWireEmergency = (plan: EmergencyPlan): Static<typeof emergencySchema> =>
  plan.outcome === 'refused'
    ? { outcome: plan.outcome, reason: plan.reason }
    : {
        outcome: plan.outcome,
        revoked: [...plan.revoked],
        promoted: plan.promoted,
        consequences: plan.consequences.map(({ who, until }) => ({ who, until: toTime(until) })),
      }

export const toWirePlan = (plan: RotationPlan): Static<typeof planSchema> =>
  plan.outcome === 'refused'
    ? {
        alg: plan.algorithm,
        outcome: plan.outcome,
        reason: plan.reason,
        safe_at: toTime(plan.safeAt),
      }
    : {
        alg: plan.algorithm,
        outcome: plan.outcome,
        retire: plan.retire,
        promote: plan.promote,
        sign_from: plan.signFrom.toISOString(),
        drop_after: plan.dropAfter.toISOString(),
      }
