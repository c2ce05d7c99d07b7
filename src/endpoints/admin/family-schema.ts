import { type Static, Type } from 'typebox'
import type { FamilyRecord, FamilyStory, Happening } from '../../audit/family-story.ts'
import { formatScope } from '../../oauth/scope.ts'
import { nullableText } from '../auth/user-schema.ts'

const moment = (description: string) => Type.String({ format: 'date-time', description })
const nullableMoment = (description: string) => nullableText({ format: 'date-time', description })

const happeningSchema = Type.Object({
  time: moment('When'),
  what: Type.Unsafe<Happening['what']>({
    type: 'string',
    description: 'Plain rotations are counted (`generation`); only the last one is told',
  }),
  actor: nullableText({ description: 'Who did it: a user, a client, or `cli`' }),
  address: nullableText({ description: 'IP address' }),
  user_agent: nullableText(),
  request_id: nullableText(),
  details: Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true }),
})

const recordSchema = Type.Object({
  user_id: Type.String(),
  client_id: Type.String(),
  session_id: nullableText({ description: '`sid` in tokens' }),
  scope: Type.String(),
  audience: Type.Array(Type.String()),
  offline: Type.Boolean({ description: 'Outlives its session' }),
  created_at: moment('Issued'),
  expires_at: moment('When it ends in any case'),
  idle_until: moment('When it ends unless it is used before'),
  generation: Type.Integer({ description: '1 before the first refresh' }),
  rotated_at: nullableMoment('The last rotation'),
  last_used_at: moment('The last refresh, or the sign-in'),
  revoked_at: nullableMoment('When it was ended'),
  revoked_reason: nullableText(),
})

/** The story of a refresh-token family. */
export const storySchema = Type.Object(
  {
    family_id: Type.String(),
    state: Type.Unsafe<FamilyStory['state']>({
      type: 'string',
      enum: ['live', 'revoked', 'expired', 'gone'],
      description: '`gone`: only the audit log still knows it',
    }),
    family: Type.Unsafe<Static<typeof recordSchema> | null>({
      anyOf: [recordSchema, { type: 'null' }],
    }),
    timeline: Type.Array(happeningSchema, { description: 'Oldest first' }),
  },
  { description: 'The family and what happened to it' },
)

/** The story as the admin API and the command line tell it. */
export const toWireStory = (story: FamilyStory): Static<typeof storySchema> => ({
  family_id: story.familyId,
  state: story.state,
  family: story.record === undefined ? null : toWireRecord(story.record),
  timeline: story.timeline.map((happening) => ({
    time: happening.at.toISOString(),
    what: happening.what,
    actor: happening.actor,
    address: happening.address,
    user_agent: happening.userAgent,
    request_id: happening.requestId,
    details: { ...happening.details },
  })),
})

const toWireRecord = (record: FamilyRecord): Static<typeof recordSchema> => ({
  user_id: record.userId,
  client_id: record.clientId,
  session_id: record.sessionId,
  scope: formatScope(record.scope),
  audience: [...record.audience],
  offline: record.offline,
  created_at: record.createdAt.toISOString(),
  expires_at: record.expiresAt.toISOString(),
  idle_until: record.idleUntil.toISOString(),
  generation: record.generation,
  rotated_at: record.rotatedAt?.toISOString() ?? null,
  last_used_at: record.lastUsedAt.toISOString(),
  revoked_at: record.revokedAt?.toISOString() ?? null,
  revoked_reason: record.revokedReason,
})
