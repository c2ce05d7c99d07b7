import { type RawBuilder, sql } from 'kysely'
import type { SecretChange, SelfRegistrationStore } from '../../clients/self-registration-store.ts'
import { insertAuditEvents } from './audit.ts'
import { selectClients, toClientRow } from './client-rows.ts'
import { insertSecret } from './clients.ts'
import { type Connection, inTransaction, type Tx } from './database.ts'
import { revokeFamilies } from './family-endings.ts'
import { insertRevocations } from './revocation-rows.ts'

type Now = () => RawBuilder<Date>

/** @param entryLifetimeSeconds how long a revocation entry must outlive the act. */
export const createSelfRegistrationStore = (
  { db, now }: Connection,
  entryLifetimeSeconds: () => number,
): SelfRegistrationStore => ({
  async isUsable(digest) {
    const row = await db
      .selectFrom('registration_tokens')
      .select('id')
      .where(isUsable(now, digest))
      .executeTakeFirst()
    return row !== undefined
  },

  register: (client, accessDigest, initialDigest, event) =>
    inTransaction(db, async (trx) => {
      const used = initialDigest && (await useToken(trx, now, initialDigest))
      if (initialDigest !== undefined && used === undefined) return 'refused'
      await trx
        .insertInto('clients')
        .values({
          ...toClientRow(client),
          ...{ registration_access_digest: accessDigest, created_at: now(), updated_at: now() },
        })
        .execute()
      if (client.secretDigest !== null) await insertSecret(trx, now, client.id, client.secretDigest)
      const details = { ...event.details, ...(used ? { registration_token: used } : {}) }
      await insertAuditEvents(trx, now, [{ ...event, details }])
      return 'registered'
    }),

  async find(id, accessDigest) {
    const row = await selectManaged(db, id, accessDigest).executeTakeFirst()
    const [client] = row === undefined ? [] : await selectClients(db, now, id)
    return client
  },

  replace: (id, accessDigest, decide) =>
    inTransaction(db, async (trx) => {
      const row = await selectManaged(trx, id, accessDigest).forUpdate().executeTakeFirst()
      const [present] = row === undefined ? [] : await selectClients(trx, now, id)
      if (present === undefined) return false
      const { client, secrets, event } = decide(present)
      const { id: _id, ...columns } = toClientRow(client)
      await trx
        .updateTable('clients')
        .set({ ...columns, updated_at: now() })
        .where('id', '=', id)
        .execute()
      await changeSecrets(trx, now, id, secrets)
      await insertAuditEvents(trx, now, [event])
      return true
    }),

  remove: (id, accessDigest, event) =>
    inTransaction(db, async (trx) => {
      const row = await selectManaged(trx, id, accessDigest).forUpdate().executeTakeFirst()
      if (row === undefined) return false
      // Refreshes that are under way wait for these rows, and find them ended.
      await revokeFamilies(trx, now, sql`f.client_id = ${id}`, 'client_deleted')
      await insertRevocations(trx, now, entryLifetimeSeconds(), [{ kind: 'client', value: id }])
      await trx.deleteFrom('clients').where('id', '=', id).execute()
      await insertAuditEvents(trx, now, [event])
      return true
    }),
})

const isUsable = (now: Now, digest: Buffer): RawBuilder<boolean> =>
  sql<boolean>`digest = ${digest} AND revoked_at IS NULL AND expires_at > ${now()}
    AND (max_uses IS NULL OR uses < max_uses)`

/** Of many who use a token at once, so many get through as it has uses left. @returns its id */
const useToken = async (trx: Tx, now: Now, digest: Buffer): Promise<string | undefined> => {
  const { rows } = await sql<{ id: string }>`
    UPDATE registration_tokens SET uses = uses + 1 WHERE ${isUsable(now, digest)}
    RETURNING id`.execute(trx)
  return rows[0]?.id
}

const selectManaged = (executor: Connection['db'] | Tx, id: string, accessDigest: Buffer) =>
  executor
    .selectFrom('clients')
    .select('id')
    .where('id', '=', id)
    .where('registration_access_digest', '=', accessDigest)
    .where('disabled_at', 'is', null)

const changeSecrets = async (
  trx: Tx,
  now: Now,
  clientId: string,
  change: SecretChange,
): Promise<void> => {
  if (change === 'keep') return
  await trx.deleteFrom('client_secrets').where('client_id', '=', clientId).execute()
  if (change !== 'drop') await insertSecret(trx, now, clientId, change.digest)
}
