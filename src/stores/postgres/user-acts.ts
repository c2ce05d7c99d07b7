import { type RawBuilder, sql } from 'kysely'
import type { User } from '../../accounts/user.ts'
import type { UserStore } from '../../accounts/user-store.ts'
import type { Act } from '../../audit/act.ts'
import type { AuditEventType } from '../../audit/catalogue.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction, type Tx } from './database.ts'
import { setUserVersion } from './family-endings.ts'
import { insertRevocations, liftRevocation, type NewRevocation } from './revocation-rows.ts'
import { endAllOfUser } from './session-endings.ts'
import { findUser, toUser, type UserRow, userColumns, userEvent } from './user-rows.ts'

type UserActs = Pick<
  UserStore,
  'changePassword' | 'setPassword' | 'disable' | 'enable' | 'grantRole' | 'revokeRole'
>

/**
 * Acts on a user that reach sessions and tokens. Each first updates the users row, whose lock puts
 * such acts in order, and moves its version, so that a refresh that waits for its family does not
 * answer with what was true before.
 */
export const createUserActs = (
  { db, now }: Connection,
  entryLifetimeSeconds: () => number,
): UserActs => {
  type Change = {
    readonly userId: string
    readonly act: Act
    readonly type: AuditEventType
    /** Assignments and condition on `users u`; without a row there is nothing to do. */
    readonly set: RawBuilder<unknown>
    readonly where: RawBuilder<unknown>
    /** What else belongs to it, once the row is locked. @returns details for the audit log. */
    readonly follow: (trx: Tx, row: UserRow) => Promise<Details>
  }
  type Details = Record<string, string | number>

  /** @returns undefined when no row met the condition. */
  const change = ({ userId, act, type, set, where, follow }: Change): Promise<User | undefined> =>
    inTransaction(db, async (trx) => {
      const { rows } = await sql<UserRow>`
        UPDATE users u SET ${set}, version = u.version + 1, updated_at = ${now()}
        WHERE u.id = ${userId}::uuid AND ${where}
        RETURNING ${userColumns}`.execute(trx)
      const row = rows[0]
      if (row === undefined) return undefined
      const details = await follow(trx, row)
      await insertAuditEvents(trx, now, [userEvent(type, userId, act, { details })])
      return toUser(row)
    })

  const endTokens = async (
    trx: Tx,
    userId: string,
    reason: string,
    { kept, extra = [] }: { kept?: string | undefined; extra?: NewRevocation[] } = {},
  ): Promise<Details> => {
    const { sessions, families, entries } = await endAllOfUser(trx, now, userId, reason, kept)
    await insertRevocations(trx, now, entryLifetimeSeconds(), [...extra, ...entries])
    return { sessions: sessions.length, families }
  }

  const changeRoles = (
    type: 'user.role_granted' | 'user.role_revoked',
    [userId, role, act]: [string, string, Act],
    roles: RawBuilder<unknown>,
    where: RawBuilder<unknown>,
  ): Promise<User | undefined> =>
    change({
      ...{ userId, act, type, where, set: sql`roles = ${roles}` },
      async follow(trx, { version }) {
        await setUserVersion(trx, userId, version)
        return { role }
      },
    })

  return {
    async changePassword({ userId, passwordHash, credentialEpoch, keptSessionId }, act) {
      const changed = await change({
        ...{ userId, act, type: 'user.password_changed' },
        set: sql`password_hash = ${passwordHash}, credential_epoch = u.credential_epoch + 1`,
        where: sql`u.status = 'active' AND u.credential_epoch = ${credentialEpoch}`,
        async follow(trx, { version }) {
          const ended = await endTokens(trx, userId, 'password_changed', { kept: keptSessionId })
          await setUserVersion(trx, userId, version)
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

    async disable(userId, act) {
      const disabled = await change({
        ...{ userId, act, type: 'user.disabled' },
        set: sql`status = 'disabled'`,
        where: sql`u.status = 'active'`,
        follow: (trx) =>
          endTokens(trx, userId, 'user_disabled', { extra: [{ kind: 'sub', value: userId }] }),
      })
      return disabled ?? findUser(db, { id: userId })
    },

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
      const where = sql`NOT ${role}::text = ANY (u.roles)`
      const granted = await changeRoles('user.role_granted', [userId, role, act], roles, where)
      return granted ?? findUser(db, { id: userId })
    },

    async revokeRole(userId, role, act) {
      const roles = sql`array_remove(u.roles, ${role}::text)`
      const where = sql`${role}::text = ANY (u.roles)`
      const revoked = await changeRoles('user.role_revoked', [userId, role, act], roles, where)
      return revoked ?? findUser(db, { id: userId })
    },
  }
}
