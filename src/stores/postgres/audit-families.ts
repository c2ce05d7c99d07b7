import { sql } from 'kysely'
import type { FamilyRecord, FamilyStore } from '../../audit/family-story.ts'
import type { Connection } from './database.ts'

/** Families as an administrator sees them: no digest, no salt. */
export const createFamilyRecords = ({ db, now }: Connection): FamilyStore => ({
  async find(familyId) {
    const { rows } = await sql<Row>`
      SELECT id, user_id, client_id, session_id, scope, audience, offline, created_at, expires_at,
        last_used_at + idle_timeout AS idle_until, generation::integer AS generation, rotated_at,
        last_used_at, revoked_at, revoked_reason, ${now()} AS at
      FROM refresh_families WHERE id = ${familyId}::uuid`.execute(db)
    return rows[0] && toRecord(rows[0])
  },
})

type Row = {
  id: string
  user_id: string
  client_id: string
  session_id: string | null
  scope: string[]
  audience: string[]
  offline: boolean
  created_at: Date
  expires_at: Date
  idle_until: Date
  generation: number
  rotated_at: Date | null
  last_used_at: Date
  revoked_at: Date | null
  revoked_reason: string | null
  at: Date
}

const toRecord = (row: Row): FamilyRecord => ({
  familyId: row.id,
  userId: row.user_id,
  clientId: row.client_id,
  sessionId: row.session_id,
  scope: row.scope,
  audience: row.audience,
  offline: row.offline,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  idleUntil: row.idle_until,
  generation: row.generation,
  rotatedAt: row.rotated_at,
  lastUsedAt: row.last_used_at,
  revokedAt: row.revoked_at,
  revokedReason: row.revoked_reason,
  now: row.at,
})
