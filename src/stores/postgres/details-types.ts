import type { DetailsTypeStore } from '../../clients/details-type.ts'
import type { DetailSchema } from '../../oauth/detail-schema.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction } from './database.ts'

export const createDetailsTypeStore = ({ db, now }: Connection): DetailsTypeStore => ({
  async list() {
    const rows = await db
      .selectFrom('authorization_details_types')
      .select(['type', 'description', 'schema'])
      .orderBy('type')
      .execute()
    return rows.map((row) => ({ ...row, schema: row.schema as DetailSchema }))
  },

  set: ({ type, description, schema }, event) =>
    inTransaction(db, async (trx) => {
      const row = { description, schema: JSON.stringify(schema), updated_at: now() }
      await trx
        .insertInto('authorization_details_types')
        .values({ type, ...row, created_at: now() })
        .onConflict((conflict) => conflict.column('type').doUpdateSet(row))
        .execute()
      await insertAuditEvents(trx, now, [event])
    }),

  remove: (type, event) =>
    inTransaction(db, async (trx) => {
      const removed = await trx
        .deleteFrom('authorization_details_types')
        .where('type', '=', type)
        .returning('type')
        .executeTakeFirst()
      if (removed === undefined) return false
      await insertAuditEvents(trx, now, [event])
      return true
    }),
})
