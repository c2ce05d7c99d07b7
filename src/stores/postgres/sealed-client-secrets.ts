import type { SealedClientSecretStore } from '../../keys/client-secret-resealing.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction } from './database.ts'

export const createSealedClientSecretStore = ({
  db,
  now,
}: Connection): SealedClientSecretStore => ({
  async list() {
    const rows = await db
      .selectFrom('client_secrets')
      .select(['id', 'client_id', 'sealed_secret'])
      .where('sealed_secret', 'is not', null)
      .orderBy('id')
      .execute()
    return rows.map(({ id, client_id: clientId, sealed_secret: sealed }) => ({
      ...{ id, clientId, sealed: Buffer.from(sealed ?? []) },
    }))
  },

  reseal: ({ id, clientId, sealed }, to, { actor, origin }) =>
    inTransaction(db, async (trx) => {
      const resealed = await trx
        .updateTable('client_secrets')
        .set({ sealed_secret: to })
        .where('id', '=', id)
        .where('sealed_secret', '=', sealed)
        .returning('id')
        .executeTakeFirst()
      if (resealed === undefined) return false
      await insertAuditEvents(trx, now, [
        {
          ...{ type: 'key.resealed', outcome: 'success', clientId, origin },
          ...(actor === undefined ? {} : { actor }),
          details: { client_secret: id },
        },
      ])
      return true
    }),
})
