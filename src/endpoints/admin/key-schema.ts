import { type Static, Type } from 'typebox'
import type { RotationPlan } from '../../keys/lifecycle.ts'
import type { KeySummary } from '../../keys/rotation.ts'
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
  },
  { description: 'A signing key' },
)

export const planSchema = Type.Object(
  {
    alg: Type.String(),
    outcome: Type.String({ description: '`planned`, `rotated` or `refused`' }),
    retire: Type.Optional(Type.String({ description: 'kid' })),
    promote: Type.Optional(Type.String({ description: 'kid' })),
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
})

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
        drop_after: plan.dropAfter.toISOString(),
      }
