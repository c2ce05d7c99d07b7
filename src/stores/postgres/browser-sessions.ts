import { sql } from 'kysely'
import type { BrowserSession } from '../../accounts/browser-session.ts'
import type { SessionStore } from '../../accounts/session-store.ts'
import type { Connection } from './database.ts'
import { mustChangePassword } from './user-rows.ts'

// Seen within so many seconds is seen now: not every request has to write.
const seenPrecisionSeconds = 60

export const createBrowserSessionFinder = ({
  db,
  now,
}: Connection): Pick<SessionStore, 'findOfBrowser'> => ({
  async findOfBrowser(cookieDigests, idleSeconds) {
    if (cookieDigests.length === 0) return []
    const { rows } = await sql<Row>`
      SELECT s.id, s.user_id, u.email, u.name, s.auth_time, s.amr, s.acr,
        ${mustChangePassword} AS must_change_password,
        s.last_seen_at < ${now()} - make_interval(secs => ${seenPrecisionSeconds}) AS unseen
      FROM sessions s JOIN users u ON u.id = s.user_id
      WHERE s.cookie_digest = ANY (${[...cookieDigests]}::bytea[])
        AND s.ended_at IS NULL AND s.expires_at > ${now()} AND u.status = 'active'
        AND s.last_seen_at + make_interval(secs => ${idleSeconds}::float8) > ${now()}
      ORDER BY s.auth_time DESC, s.id`.execute(db)
    const unseen = rows.filter((row) => row.unseen).map(({ id }) => id)
    if (unseen.length > 0) {
      await db
        .updateTable('sessions')
        .set({ last_seen_at: now() })
        .where('id', 'in', unseen)
        .where('ended_at', 'is', null)
        .execute()
    }
    return rows.map(toBrowserSession)
  },
})

type Row = {
  id: string
  user_id: string
  email: string
  name: string | null
  auth_time: Date
  amr: string[]
  acr: string | null
  must_change_password: boolean
  unseen: boolean
}

const toBrowserSession = (row: Row): BrowserSession => ({
  id: row.id,
  userId: row.user_id,
  email: row.email,
  name: row.name,
  authTime: row.auth_time,
  amr: row.amr,
  acr: row.acr,
  mustChangePassword: row.must_change_password,
})
