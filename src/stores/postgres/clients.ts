import { randomUUID } from 'node:crypto'
import { type RawBuilder, sql } from 'kysely'
import { hasSecret } from '../../clients/client.ts'
import type { ChangeOutcome, ClientStore } from '../../clients/client-store.ts'
import { insertAuditEvents } from './audit.ts'
import { selectClients, toClientRow } from './client-rows.ts'
import { type Connection, inTransaction, type Tx } from './database.ts'
import { revokeFamilies } from './family-endings.ts'
import { insertRevocations, liftRevocation } from './revocation-rows.ts'

type Now = () => RawBuilder<Date>

// The entry of a disabled client is taken back, never outlived.
const whileDisabledSeconds = 100 * 365 * 24 * 60 * 60

/** @param entryLifetimeSeconds how long a revocation entry must outlive the act. */
export const createClientStore = (
  { db, now }: Connection,
  entryLifetimeSeconds: () => number,
): ClientStore => ({
  async find(id) {
    const [client] = await selectClients(db, now, id)
    return client
  },

  list: () => selectClients(db, now),

  async listOrigins() {
    const { rows } = await sql<{ origin: string }>`
      SELECT DISTINCT unnest(cors_origins) AS origin FROM clients
      WHERE disabled_at IS NULL`.execute(db)
    return rows.map(({ origin }) => origin)
  },

  create: (client, event) =>
    inTransaction(db, async (trx) => {
      const created = await trx
        .insertInto('clients')
        .values({ ...toClientRow(client), created_at: now(), updated_at: now() })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .returning('id')
        .executeTakeFirst()
      if (created === undefined) return 'taken'
      if (client.secretDigest !== null) {
        await insertSecret(trx, now, client.id, client.secretDigest, client.sealedSecret)
      }
      await insertAuditEvents(trx, now, [event])
      return 'created'
    }),

  async ensureBuiltIn(client) {
    await db
      .insertInto('clients')
      .values({ ...toClientRow(client), created_at: now(), updated_at: now() })
      .onConflict((conflict) =>
        conflict
          .column('id')
          .doUpdateSet((eb) => ({
            name: eb.ref('excluded.name'),
            grant_types: eb.ref('excluded.grant_types'),
            scope: eb.ref('excluded.scope'),
            audience: eb.ref('excluded.audience'),
            redirect_uris: eb.ref('excluded.redirect_uris'),
            settings: eb.ref('excluded.settings'),
            updated_at: eb.ref('excluded.updated_at'),
          }))
          .where(
            sql<boolean>`
              (clients.name, clients.grant_types, clients.scope, clients.audience,
                clients.redirect_uris, clients.settings)
              IS DISTINCT FROM
              (excluded.name, excluded.grant_types, excluded.scope, excluded.audience,
                excluded.redirect_uris, excluded.settings)`,
          ),
      )
      .execute()
  },

  update: (id, decide) =>
    inTransaction(db, async (trx) => {
      await trx.selectFrom('clients').select('id').where('id', '=', id).forUpdate().execute()
      const [present] = await selectClients(trx, now, id)
      if (present === undefined) return 'unknown'
      if (present.builtIn) return 'built_in'
      const decision = decide(present)
      if (decision === undefined) return 'unchanged'
      const { id: _id, ...row } = toClientRow(decision.client)
      await trx
        .updateTable('clients')
        .set({ ...row, updated_at: now() })
        .where('id', '=', id)
        .execute()
      await insertAuditEvents(trx, now, [decision.event])
      return 'changed'
    }),

  disable: (id, event) =>
    inTransaction(db, async (trx) => {
      const outcome = await setDisabled(trx, now, id, true)
      if (outcome !== 'changed') return outcome
      await revokeFamilies(trx, now, sql`f.client_id = ${id}`, 'client_disabled')
      await insertAuditEvents(trx, now, [event])
      await insertRevocations(trx, now, whileDisabledSeconds, [{ kind: 'client', value: id }])
      return outcome
    }),

  enable: (id, event) =>
    inTransaction(db, async (trx) => {
      const outcome = await setDisabled(trx, now, id, false)
      if (outcome !== 'changed') return outcome
      await insertAuditEvents(trx, now, [event])
      await liftRevocation(trx, now, entryLifetimeSeconds(), { kind: 'client', value: id })
      return outcome
    }),

  rotateSecret: (id, digest, overlapSeconds, event, sealed) =>
    inTransaction(db, async (trx) => {
      // Locks the client: of two rotations at once, the second ends the first one's secret too.
      const client = await trx
        .updateTable('clients')
        .set({ updated_at: now() })
        .where('id', '=', id)
        .returning(['built_in', 'authentication_method'])
        .executeTakeFirst()
      if (client === undefined) return 'unknown'
      if (client.built_in) return 'built_in'
      if (!hasSecret({ authenticationMethod: client.authentication_method })) return 'public'
      await limitSecrets(trx, now, id, overlapSeconds)
      await insertSecret(trx, now, id, digest, sealed)
      await insertAuditEvents(trx, now, [event])
      return 'rotated'
    }),
})

const setDisabled = async (
  trx: Tx,
  now: Now,
  id: string,
  disabled: boolean,
): Promise<ChangeOutcome> => {
  const changed = await trx
    .updateTable('clients')
    .set({ disabled_at: disabled ? now() : null, updated_at: now() })
    .where('id', '=', id)
    .where('built_in', '=', false)
    .where('disabled_at', disabled ? 'is' : 'is not', null)
    .returning('id')
    .executeTakeFirst()
  if (changed !== undefined) return 'changed'
  const row = await trx
    .selectFrom('clients')
    .select('built_in')
    .where('id', '=', id)
    .executeTakeFirst()
  if (row === undefined) return 'unknown'
  return row.built_in ? 'built_in' : 'unchanged'
}

export const insertSecret = async (
  trx: Tx,
  now: Now,
  clientId: string,
  digest: Buffer,
  sealed: Buffer | null = null,
): Promise<void> => {
  await trx
    .insertInto('client_secrets')
    .values({
      ...{ id: randomUUID(), client_id: clientId, digest, sealed_secret: sealed },
      created_at: now(),
    })
    .execute()
}

/** Earlier secrets end after the overlap, or sooner where an earlier rotation said so. */
const limitSecrets = async (
  trx: Tx,
  now: Now,
  clientId: string,
  overlapSeconds: number,
): Promise<void> => {
  await sql`DELETE FROM client_secrets
    WHERE client_id = ${clientId} AND expires_at <= ${now()}`.execute(trx)
  await sql`UPDATE client_secrets
    SET expires_at = least(expires_at, ${now()} + make_interval(secs => ${overlapSeconds}::float8))
    WHERE client_id = ${clientId}`.execute(trx)
}
