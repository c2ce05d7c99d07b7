import { sql } from 'kysely'
import type { Session, SessionStore } from '../../accounts/session-store.ts'
import { insertAuditEvents } from './audit.ts'
import { createBrowserSessionFinder } from './browser-sessions.ts'
import { type Connection, inTransaction } from './database.ts'
import { insertRevocations } from './revocation-rows.ts'
import { endAllOfUser, endSessionsOfUser } from './session-endings.ts'
import { createSessionOpenings } from './session-openings.ts'
import { userEvent } from './user-rows.ts'

/** @param entryLifetimeSeconds how long a revocation entry must stand (revocation/lifetime.ts) */
export const createSessionStore = (
  connection: Connection,
  entryLifetimeSeconds: () => number,
): SessionStore => {
  const { db, now } = connection
  return {
    ...createSessionOpenings(connection, entryLifetimeSeconds),
    ...createBrowserSessionFinder(connection),

    async list(userId, currentId) {
      const { rows } = await sql<SessionRow>`
        SELECT s.id, s.user_agent, s.address, s.amr, s.created_at, s.expires_at,
          coalesce(greatest(max(f.last_used_at), s.last_seen_at), s.created_at) AS last_seen_at
        FROM sessions s LEFT JOIN refresh_families f ON f.session_id = s.id
        WHERE s.user_id = ${userId}::uuid AND s.ended_at IS NULL AND s.expires_at > ${now()}
        GROUP BY s.id
        HAVING s.id = ${currentId ?? null}::uuid OR s.cookie_digest IS NOT NULL OR bool_or(
          f.revoked_at IS NULL AND f.expires_at > ${now()}
          AND f.last_used_at + f.idle_timeout > ${now()})
        ORDER BY s.created_at DESC, s.id`.execute(db)
      return rows.map(toSession)
    },

    end: (userId, sessionId, act) =>
      inTransaction(db, async (trx) => {
        const condition = sql`s.id = ${sessionId}::uuid`
        const ended = await endSessionsOfUser(
          trx,
          { now, entryLifetimeSeconds },
          [userId, act],
          condition,
          'signed_out',
        )
        await insertAuditEvents(trx, now, ended)
        return ended.length > 0
      }),

    endAll: (userId, act) =>
      inTransaction(db, async (trx) => {
        await trx
          .updateTable('users')
          .set((row) => ({ version: row('version', '+', 1) }))
          .where('id', '=', userId)
          .execute()
        const ended = await endAllOfUser(trx, now, userId, 'signed_out_everywhere')
        await insertRevocations(trx, now, entryLifetimeSeconds(), ended.entries)
        const details = { sessions: ended.sessions.length, families: ended.families }
        await insertAuditEvents(trx, now, [
          userEvent('session.all_ended', userId, act, { details }),
        ])
      }),
  }
}

type SessionRow = {
  id: string
  user_agent: string | null
  address: string | null
  amr: string[]
  created_at: Date
  expires_at: Date
  last_seen_at: Date
}

const toSession = (row: SessionRow): Session => ({
  id: row.id,
  userAgent: row.user_agent,
  address: row.address,
  amr: row.amr,
  createdAt: row.created_at,
  lastSeenAt: row.last_seen_at,
  expiresAt: row.expires_at,
})
