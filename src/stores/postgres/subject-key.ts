import type { RecordedEvent } from '../../audit/event.ts'
import type { KeyActor } from '../../keys/key-store.ts'
import type { SubjectKeyStore } from '../../keys/subject-key.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction } from './database.ts'

const purpose = 'subject'

export const createSubjectKeyStore = ({ db, now }: Connection): SubjectKeyStore => ({
  async find() {
    const row = await db
      .selectFrom('service_keys')
      .select('sealed_key')
      .where('purpose', '=', purpose)
      .executeTakeFirst()
    return row && Buffer.from(row.sealed_key)
  },

  insertFirst: (sealedKey, by) =>
    inTransaction(db, async (trx) => {
      const inserted = await trx
        .insertInto('service_keys')
        .values({ purpose, sealed_key: sealedKey, created_at: now() })
        .onConflict((conflict) => conflict.column('purpose').doNothing())
        .returning('purpose')
        .executeTakeFirst()
      if (inserted !== undefined) {
        await insertAuditEvents(trx, now, [subjectKeyEvent('key.created', by)])
      }
    }),

  reseal: (from, to, by) =>
    inTransaction(db, async (trx) => {
      const resealed = await trx
        .updateTable('service_keys')
        .set({ sealed_key: to })
        .where('purpose', '=', purpose)
        .where('sealed_key', '=', from)
        .returning('purpose')
        .executeTakeFirst()
      if (resealed === undefined) return false
      await insertAuditEvents(trx, now, [subjectKeyEvent('key.resealed', by)])
      return true
    }),
})

const subjectKeyEvent = (
  type: 'key.created' | 'key.resealed',
  { actor, origin }: KeyActor,
): RecordedEvent => ({
  type,
  outcome: 'success',
  ...(actor === undefined ? {} : { actor }),
  origin,
  details: { service_key: purpose },
})
