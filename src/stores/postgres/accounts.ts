import { type RawBuilder, sql } from 'kysely'
import type { Profile } from '../../accounts/fields.ts'
import { emailKey } from '../../accounts/name-key.ts'
import type { User } from '../../accounts/user.ts'
import type { Credentials, UserStore } from '../../accounts/user-store.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction, type Tx } from './database.ts'
import { createFirstAdminStore } from './first-admin.ts'
import { createUserActs } from './user-acts.ts'
import { createUserLifecycle } from './user-lifecycle.ts'
import { createUserPurge } from './user-purge.ts'
import {
  creationEvents,
  findUser,
  insertUser,
  isReferredTo,
  mustChangePassword,
  nameTaken,
  statedColumns,
  toColumns,
  toUser,
  type UserRow,
  userColumns,
  userEvent,
} from './user-rows.ts'
import { searchUsers } from './user-search.ts'

/** @param entryLifetimeSeconds how long a revocation entry must stand (revocation/lifetime.ts) */
export const createUserStore = (
  connection: Connection,
  entryLifetimeSeconds: () => number,
): UserStore => {
  const { db, now } = connection
  return {
    ...createUserActs(connection, entryLifetimeSeconds),
    ...createUserLifecycle(connection, entryLifetimeSeconds),
    ...createUserPurge(connection),
    ...createFirstAdminStore(connection),
    search: (query) => searchUsers(db, query),

    find: (reference) => findUser(db, reference),

    async findCredentials(reference) {
      const { rows } = await sql<CredentialsRow>`
        SELECT u.id, u.credential_epoch, u.status,
          CASE WHEN ${mustChangePassword} AND u.password_expires_at <= ${now()} THEN NULL
            ELSE u.password_hash END AS password_hash
        FROM users u WHERE ${isReferredTo(reference)}`.execute(db)
      return rows[0] && toCredentials(rows[0])
    },

    async list({ after, limit }) {
      const { rows } = await sql<UserRow>`
        SELECT ${userColumns} FROM users u
        WHERE ${after === undefined ? sql`true` : sql`u.email_key > ${emailKey(after)}`}
        ORDER BY u.email_key LIMIT ${limit}::int`.execute(db)
      return rows.map(toUser)
    },

    async roleNames() {
      const rows = await db.selectFrom('roles').select('name').orderBy('name').execute()
      return rows.map(({ name }) => name)
    },

    create: (user, act) =>
      inTransaction(db, async (trx) => {
        const row = await insertUser(trx, now, user, false)
        const events = creationEvents(row, act, user.passwordHash !== null)
        await insertAuditEvents(trx, now, events)
        return toUser(row)
      }).catch(nameTaken),

    update: (userId, profile, credentialEpoch, act) =>
      inTransaction(db, async (trx) => {
        const row = await updateProfile(trx, now, userId, profile, credentialEpoch)
        if (row === undefined) return undefined
        const details = { changed: statedColumns(profile) }
        await insertAuditEvents(trx, now, [userEvent('user.updated', userId, act, { details })])
        return toUser(row)
      }).catch(nameTaken),
  }
}

type CredentialsRow = {
  id: string
  password_hash: string | null
  credential_epoch: number
  status: User['status']
}

const toCredentials = (row: CredentialsRow): Credentials => ({
  userId: row.id,
  passwordHash: row.password_hash,
  credentialEpoch: row.credential_epoch,
  status: row.status,
})

const updateProfile = async (
  trx: Tx,
  now: () => RawBuilder<Date>,
  userId: string,
  profile: Profile,
  credentialEpoch: number | undefined,
): Promise<UserRow | undefined> => {
  const { rows } = await sql<UserRow>`
    WITH u AS (${trx
      .updateTable('users')
      .set({ ...toColumns(profile), updated_at: now() })
      .where('id', '=', userId)
      .where('status', '=', 'active')
      .$if(credentialEpoch !== undefined, (update) =>
        update.where('credential_epoch', '=', credentialEpoch as number),
      )
      .returningAll()})
    SELECT ${userColumns} FROM u`.execute(trx)
  return rows[0]
}
