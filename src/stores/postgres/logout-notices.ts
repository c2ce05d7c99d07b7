import { type RawBuilder, sql } from 'kysely'
import type { LogoutNotice, LogoutNoticeStore } from '../../accounts/logout-notices.ts'
import type { Connection, Executor } from './database.ts'

export const createLogoutNoticeStore = ({ db, now }: Connection): LogoutNoticeStore => ({
  async claim(delaysSeconds, busyClients) {
    const { rows } = await sql<LogoutNotice>`
      UPDATE logout_notices SET attempts = attempts + 1,
        next_attempt_at = ${now()} + make_interval(secs => (
          (${[...delaysSeconds]}::float8[])[attempts + 1]))
      WHERE id = (
        SELECT id FROM logout_notices
        WHERE next_attempt_at <= ${now()} AND client_id <> ALL (${[...busyClients]}::text[])
        ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED)
      RETURNING id, client_id AS "clientId", user_id AS "userId", session_id AS "sessionId",
        attempts AS attempt`.execute(db)
    return rows[0]
  },

  async settle(id) {
    await sql`
      UPDATE logout_notices SET delivered_at = ${now()}, next_attempt_at = NULL
      WHERE id = ${id}::uuid`.execute(db)
  },
})

/** Sessions have just ended in this transaction: whoever has to hear of it will. */
export const insertLogoutNotices = async (
  trx: Executor,
  now: () => RawBuilder<Date>,
  sessionIds: readonly string[],
): Promise<void> => {
  await sql`
    INSERT INTO logout_notices (id, client_id, user_id, session_id, created_at, next_attempt_at)
    SELECT gen_random_uuid(), c.id, s.user_id, s.id, ${now()}, ${now()}
    FROM session_clients k JOIN sessions s ON s.id = k.session_id JOIN clients c ON c.id = k.client_id
    WHERE k.session_id = ANY (${[...sessionIds]}::uuid[]) AND c.disabled_at IS NULL
      AND c.settings ->> 'backchannel_logout_uri' IS NOT NULL
    ON CONFLICT DO NOTHING`.execute(trx)
}
