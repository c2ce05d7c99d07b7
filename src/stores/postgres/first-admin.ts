import { sql } from 'kysely'
import type { UserStore } from '../../accounts/user-store.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction, type Tx } from './database.ts'
import { creationEvents, insertUser, nameTaken, toUser } from './user-rows.ts'

/** The first account with the role `admin`, of all nodes that start at once. */
export const createFirstAdminStore = ({
  db,
  now,
}: Connection): Pick<UserStore, 'hasAdmin' | 'createFirstAdmin'> => ({
  hasAdmin: () => hasAdmin(db),

  createFirstAdmin: (user, act) =>
    inTransaction(db, async (trx) => {
      // One node at a time: the others find the account that it made.
      await trx.selectFrom('roles').select('name').where('name', '=', 'admin').forUpdate().execute()
      if (await hasAdmin(trx)) return 'has_admin'
      const row = await insertUser(trx, now, user, false)
      await insertAuditEvents(trx, now, creationEvents(row, act, true))
      return toUser(row)
    }).catch(nameTaken),
})

/** Disabled and deleted ones count: whoever can be let in again is not to be replaced unseen. */
const hasAdmin = async (executor: Connection['db'] | Tx): Promise<boolean> => {
  const row = await executor
    .selectFrom('users')
    .select('id')
    .where(sql<boolean>`roles @> ARRAY['admin']`)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
