import { type RawBuilder, sql } from 'kysely'
import type { UserStore } from '../../accounts/user-store.ts'
import type { Act } from '../../audit/act.ts'
import type { Connection, Tx } from './database.ts'
import { setUserVersion, widenFamilies } from './family-endings.ts'
import { liftRevocation } from './revocation-rows.ts'
import { createUserChange } from './user-change.ts'
import { findUser, toUser, type UserRow } from './user-rows.ts'

type UserActs = Pick<
  UserStore,
  'changePassword' | 'setPassword' | 'disable' | 'enable' | 'grantRole' | 'revokeRole'
>

/** Acts on a user that reach sessions and tokens. */
export const createUserActs = (
  connection: Connection,
  entryLifetimeSeconds: () => number,
): UserActs => {
  const { db, now } = connection
  const { change, changeGuarded, endTokens } = createUserChange(connection, entryLifetimeSeconds)

  const roleChange = (
    type: 'user.role_granted' | 'user.role_revoked',
    [userId, role, act]: [string, string, Act],
    roles: RawBuilder<unknown>,
    where: RawBuilder<unknown>,
  ) => ({
    ...{ userId, act, type, where, set: sql`roles = ${roles}` },
    follow: async (trx: Tx, { version }: UserRow) => {
      await setUserVersion(trx, userId, version)
      return { role }
    },
  })

  return {
    async changePassword({ userId, passwordHash, credentialEpoch, keptSessionId, grantOf }, act) {
      const changed = await change({
        ...{ userId, act, type: 'user.password_changed' },
        set: sql`password_hash = ${passwordHash}, credential_epoch = u.credential_epoch + 1`,
        where: sql`u.status = 'active' AND u.credential_epoch = ${credentialEpoch}`,
        async follow(trx, row) {
          const ended = await endTokens(trx, userId, 'password_changed', { kept: keptSessionId })
          await setUserVersion(trx, userId, row.version)
          if (keptSessionId !== undefined) {
            await widenFamilies(trx, keptSessionId, grantOf(toUser(row)))
          }
          return ended
        },
      })
      return changed !== undefined
    },

    setPassword: (userId, passwordHash, act) =>
      change({
        ...{ userId, act, type: 'user.password_set' },
        set: sql`password_hash = ${passwordHash}, credential_epoch = u.credential_epoch + 1`,
        where: sql`true`,
        follow: (trx) => endTokens(trx, userId, 'password_set'),
      }),

    disable: (userId, act, guard) =>
      changeGuarded({
        ...{ userId, act, guard, type: 'user.disabled' },
        set: sql`status = 'disabled'`,
        where: sql`u.status = 'active'`,
        follow: (trx) =>
          endTokens(trx, userId, 'user_disabled', { extra: [{ kind: 'sub', value: userId }] }),
      }),

    async enable(userId, act) {
      const enabled = await change({
        ...{ userId, act, type: 'user.enabled' },
        set: sql`status = 'active'`,
        where: sql`u.status = 'disabled'`,
        async follow(trx) {
          // The entries of the sessions stay: tokens from before the disabling are not revived.
          await liftRevocation(trx, now, entryLifetimeSeconds(), { kind: 'sub', value: userId })
          return {}
        },
      })
      return enabled ?? findUser(db, { id: userId })
    },

    async grantRole(userId, role, act) {
      const roles = sql`ARRAY(SELECT unnest(array_append(u.roles, ${role}::text)) ORDER BY 1)`
      // The share keeps the role from being deleted until the account has it.
      const where = sql`NOT ${role}::text = ANY (u.roles)
        AND EXISTS (SELECT FROM roles r WHERE r.name = ${role}::text FOR KEY SHARE)`
      const granted = await change(
        roleChange('user.role_granted', [userId, role, act], roles, where),
      )
      return granted ?? findUser(db, { id: userId })
    },

    revokeRole(userId, role, act, guard) {
      const roles = sql`array_remove(u.roles, ${role}::text)`
      const where = sql`${role}::text = ANY (u.roles)`
      const change = roleChange('user.role_revoked', [userId, role, act], roles, where)
      return changeGuarded({ ...change, guard: role === 'admin' ? guard : undefined })
    },
  }
}
