import { sql } from 'kysely'
import type { UserStore } from '../../accounts/user-store.ts'
import type { Connection } from './database.ts'
import { createUserChange } from './user-change.ts'
import { findUser } from './user-rows.ts'

type UserLifecycle = Pick<
  UserStore,
  'delete' | 'restore' | 'forcePasswordChange' | 'setInitialPassword' | 'endSessions'
>

/** What administrators do to other people's accounts beside letting them in or not. */
export const createUserLifecycle = (
  connection: Connection,
  entryLifetimeSeconds: () => number,
): UserLifecycle => {
  const { db, now } = connection
  const { change, changeGuarded, endTokens } = createUserChange(connection, entryLifetimeSeconds)
  return {
    forcePasswordChange: (userId, act) =>
      change({
        ...{ userId, act, type: 'user.password_change_forced' },
        set: sql`must_change_epoch = u.credential_epoch, password_expires_at =
          CASE WHEN u.must_change_epoch = u.credential_epoch THEN u.password_expires_at END`,
        where: sql`true`,
        follow: (trx) => endTokens(trx, userId, 'password_change_forced'),
      }),

    setInitialPassword: (userId, passwordHash, seconds, act) =>
      change({
        ...{ userId, act, type: 'user.password_set' },
        set: sql`password_hash = ${passwordHash}, credential_epoch = u.credential_epoch + 1,
          must_change_epoch = u.credential_epoch + 1,
          password_expires_at = ${now()} + make_interval(secs => ${seconds}::float8)`,
        where: sql`true`,
        follow: (trx) => endTokens(trx, userId, 'password_set'),
      }),

    endSessions: (userId, act) =>
      change({
        ...{ userId, act, type: 'user.sessions_ended' },
        set: sql`status = u.status`,
        where: sql`true`,
        follow: (trx) => endTokens(trx, userId, 'ended_by_administrator'),
      }),

    delete: (userId, act, guard) =>
      changeGuarded({
        ...{ userId, act, guard, type: 'user.deleted' },
        set: sql`status = 'deleted', deleted_at = ${now()}`,
        where: sql`u.status <> 'deleted'`,
        follow: (trx) =>
          endTokens(trx, userId, 'user_deleted', { extra: [{ kind: 'sub', value: userId }] }),
      }),

    async restore(userId, act) {
      const restored = await change({
        ...{ userId, act, type: 'user.restored' },
        // Disabled, so that letting somebody in again is an act of its own.
        set: sql`status = 'disabled', deleted_at = NULL`,
        where: sql`u.status = 'deleted'`,
        follow: async () => ({}),
      })
      return restored ?? findUser(db, { id: userId })
    },
  }
}
