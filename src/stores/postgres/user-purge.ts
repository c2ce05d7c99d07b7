import { sql } from 'kysely'
import type { UserStore } from '../../accounts/user-store.ts'
import type { RecordedEvent } from '../../audit/event.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction } from './database.ts'
import { userEvent } from './user-rows.ts'

// With each go its sessions and families.
const batch = 50

const act = { actor: 'housekeeping', origin: {} } as const

/** The end of accounts that were deleted long enough ago; the audit log keeps their ids alone. */
export const createUserPurge = ({ db, now }: Connection): Pick<UserStore, 'purge'> => ({
  purge: (days) =>
    inTransaction(db, async (trx) => {
      const { rows } = await sql<{ id: string }>`
        DELETE FROM users WHERE id IN (
          SELECT id FROM users
          WHERE status = 'deleted' AND deleted_at < ${now()} - make_interval(days => ${days}::int)
          ORDER BY deleted_at LIMIT ${batch} FOR UPDATE SKIP LOCKED)
        RETURNING id`.execute(trx)
      const events = rows.map(({ id }): RecordedEvent => userEvent('user.purged', id, act))
      await insertAuditEvents(trx, now, events)
      return rows.length
    }),
})
