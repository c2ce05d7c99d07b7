import { Type } from 'typebox'
import { isUuid } from '../../accounts/user.ts'
import type { FamilyRecord, Happening } from '../../audit/family-story.ts'
import { Problem } from '../../oauth/problem.ts'
import { formatScope } from '../../oauth/scope.ts'
import { defineOperation, toTimestamp } from './operation.ts'

const recordToJson = (record: FamilyRecord) => ({
  user_id: record.userId,
  client_id: record.clientId,
  session_id: record.sessionId,
  scope: formatScope(record.scope),
  audience: [...record.audience],
  offline: record.offline,
  created_at: toTimestamp(record.createdAt),
  expires_at: toTimestamp(record.expiresAt),
  idle_until: toTimestamp(record.idleUntil),
  generation: record.generation,
  rotated_at: toTimestamp(record.rotatedAt),
  last_used_at: toTimestamp(record.lastUsedAt),
  revoked_at: toTimestamp(record.revokedAt),
  revoked_reason: record.revokedReason,
})

const happeningToJson = (happening: Happening) => ({
  time: toTimestamp(happening.at),
  what: happening.what,
  actor: happening.actor,
  address: happening.address,
  user_agent: happening.userAgent,
  request_id: happening.requestId,
  details: { ...happening.details },
})

export const familyOperations = {
  'families.show': defineOperation(
    Type.Object({ familyId: Type.String() }),
    async ({ familyStories }, { familyId }) => {
      const id = familyId.toLowerCase()
      const story = isUuid(id) ? await familyStories.find(id) : undefined
      if (story === undefined) {
        throw new Problem('not_found', {
          detail: `There is no family ${JSON.stringify(familyId)}`,
        })
      }
      return {
        family_id: story.familyId,
        state: story.state,
        family: story.record === undefined ? null : recordToJson(story.record),
        timeline: story.timeline.map(happeningToJson),
      }
    },
  ),
}
