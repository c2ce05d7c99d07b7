import { type RawBuilder, sql } from 'kysely'
import type { User } from '../../accounts/user.ts'
import type { Changed, Safeguard } from '../../accounts/user-store.ts'
import type { Act } from '../../audit/act.ts'
import type { AuditEventType } from '../../audit/catalogue.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction, type Tx } from './database.ts'
import { insertRevocations, type NewRevocation } from './revocation-rows.ts'
import { endAllOfUser } from './session-endings.ts'
import { findUser, toUser, type UserRow, userColumns, userEvent } from './user-rows.ts'

export type Details = Record<string, string | number>

type Change = {
  readonly userId: string
  readonly act: Act
  readonly type: AuditEventType
  /** Assignments and condition on `users u`; without a row there is nothing to do. */
  readonly set: RawBuilder<unknown>
  readonly where: RawBuilder<unknown>
  readonly guard?: Safeguard | undefined
  /** What else belongs to it, once the row is locked. @returns details for the audit log. */
  readonly follow: (trx: Tx, row: UserRow) => Promise<Details>
}

type Ending = { readonly kept?: string | undefined; readonly extra?: readonly NewRevocation[] }

/**
 * How an act on a user is carried out that reaches sessions and tokens: it first updates the users
 * row, whose lock puts such acts in order, and moves its version, so that a refresh that waits for
 * its family does not answer with what was true before.
 */
export const createUserChange = ({ db, now }: Connection, entryLifetimeSeconds: () => number) => {
  const apply = async (
    trx: Tx,
    { userId, act, type, set, where, follow }: Change,
  ): Promise<User | undefined> => {
    const { rows } = await sql<UserRow>`
      UPDATE users u SET ${set}, version = u.version + 1, updated_at = ${now()}
      WHERE u.id = ${userId}::uuid AND ${where}
      RETURNING ${userColumns}`.execute(trx)
    const row = rows[0]
    if (row === undefined) return undefined
    const details = await follow(trx, row)
    await insertAuditEvents(trx, now, [userEvent(type, userId, act, { details })])
    return toUser(row)
  }

  return {
    /** @returns undefined when no row met the condition. */
    change: (change: Omit<Change, 'guard'>): Promise<User | undefined> =>
      inTransaction(db, (trx) => apply(trx, change)),

    /** As `change`, but a user who is as wanted already is shown as such. */
    changeGuarded: (change: Change): Promise<Changed> =>
      inTransaction(db, async (trx) => {
        if (change.guard === 'keep_admin' && (await isLastAdmin(trx, change.userId))) {
          return 'last_admin'
        }
        return (await apply(trx, change)) ?? (await findUser(trx, { id: change.userId }))
      }),

    endTokens: async (
      trx: Tx,
      userId: string,
      reason: string,
      { kept, extra = [] }: Ending = {},
    ): Promise<Details> => {
      const { sessions, families, entries } = await endAllOfUser(trx, now, userId, reason, kept)
      await insertRevocations(trx, now, entryLifetimeSeconds(), [...extra, ...entries])
      return { sessions: sessions.length, families }
    },
  }
}

/**
 * Whether no other active account has the role `admin`. The lock lets one such act at a time pass:
 * two that ended one another's administrator would each count on the other's.
 */
const isLastAdmin = async (trx: Tx, userId: string): Promise<boolean> => {
  await trx.selectFrom('roles').select('name').where('name', '=', 'admin').forUpdate().execute()
  const { rows } = await sql<{ last: boolean }>`
    SELECT bool_and(u.id = ${userId}::uuid) AS last
    FROM users u WHERE u.roles @> ARRAY['admin'] AND u.status = 'active'`.execute(trx)
  return rows[0]?.last === true
}
