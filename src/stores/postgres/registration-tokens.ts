import { type Selectable, sql } from 'kysely'
import type { RegistrationToken, RegistrationTokenStore } from '../../clients/registration-token.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction, type Tx } from './database.ts'
import type { RegistrationTokenRow } from './schema.ts'

export const createRegistrationTokenStore = ({ db, now }: Connection): RegistrationTokenStore => ({
  create: ({ id, name, maxUses, digest, ttlSeconds }, event) =>
    inTransaction(db, async (trx) => {
      const row = await trx
        .insertInto('registration_tokens')
        .values({
          ...{ id, name, digest, max_uses: maxUses, created_at: now() },
          expires_at: sql<Date>`${now()} + make_interval(secs => ${ttlSeconds}::float8)`,
        })
        .returningAll()
        .executeTakeFirstOrThrow()
      await insertAuditEvents(trx, now, [event])
      return toToken(row)
    }),

  async list() {
    const rows = await db
      .selectFrom('registration_tokens')
      .selectAll()
      .orderBy('created_at', 'desc')
      .orderBy('id')
      .execute()
    return rows.map(toToken)
  },

  revoke: (id, event) =>
    inTransaction(db, async (trx) => {
      const revoked = await trx
        .updateTable('registration_tokens')
        .set({ revoked_at: now() })
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .returningAll()
        .executeTakeFirst()
      if (revoked !== undefined) await insertAuditEvents(trx, now, [event])
      const row = revoked ?? (await find(trx, id))
      return row && toToken(row)
    }),
})

const find = (trx: Tx, id: string) =>
  trx.selectFrom('registration_tokens').selectAll().where('id', '=', id).executeTakeFirst()

const toToken = (row: Selectable<RegistrationTokenRow>): RegistrationToken => ({
  id: row.id,
  name: row.name,
  maxUses: row.max_uses,
  uses: row.uses,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  revokedAt: row.revoked_at,
})
