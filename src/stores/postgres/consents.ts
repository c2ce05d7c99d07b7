import { type Selectable, sql } from 'kysely'
import type { Consent, ConsentStore } from '../../accounts/consents.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction, type Tx } from './database.ts'
import { revokeFamilies } from './family-endings.ts'
import { insertRevocations } from './revocation-rows.ts'
import type { ConsentRow } from './schema.ts'
import { userEvent } from './user-rows.ts'

/** @param entryLifetimeSeconds how long a revocation entry must stand (revocation/lifetime.ts) */
export const createConsentStore = (
  { db, now }: Connection,
  entryLifetimeSeconds: () => number,
): ConsentStore => {
  /** Codes on their way, families, and tokens without a family, which their code has named. */
  const endGrants = async (trx: Tx, userId: string, clientId: string): Promise<number> => {
    const ofPair = sql`user_id = ${userId}::uuid AND client_id = ${clientId}`
    const codes = await sql<{ family_id: string | null }>`
      UPDATE authorization_codes SET expires_at = least(expires_at, ${now()})
      WHERE ${ofPair} RETURNING family_id`.execute(trx)
    const devices = await sql<{ family_id: string | null }>`
      UPDATE device_codes SET expires_at = least(expires_at, ${now()})
      WHERE ${ofPair} RETURNING family_id`.execute(trx)
    const condition = sql`f.user_id = ${userId}::uuid AND f.client_id = ${clientId}`
    const families = await revokeFamilies(trx, now, condition, 'consent_revoked')
    const named = [...codes.rows, ...devices.rows].flatMap(({ family_id: id }) =>
      id === null ? [] : [id],
    )
    const entries = [...families.map(({ id }) => id), ...named]
    await insertRevocations(
      trx,
      now,
      entryLifetimeSeconds(),
      entries.map((value) => ({ kind: 'fam', value })),
    )
    return families.length
  }

  return {
    async find(userId, clientId) {
      const row = await db
        .selectFrom('consents')
        .selectAll()
        .where('user_id', '=', userId)
        .where('client_id', '=', clientId)
        .executeTakeFirst()
      return row && toConsent(row)
    },

    grant: ({ userId, clientId, scope, audience, authorizationDetails }, act) =>
      inTransaction(db, async (trx) => {
        await sql`
          INSERT INTO consents AS c
            (user_id, client_id, scope, audience, authorization_details, granted_at)
          VALUES (${userId}::uuid, ${clientId}, ${[...scope]}::text[], ${[...audience]}::text[],
            ${JSON.stringify(authorizationDetails)}::jsonb, ${now()})
          ON CONFLICT (user_id, client_id) DO UPDATE SET
            scope = ARRAY(SELECT DISTINCT unnest(c.scope || excluded.scope) ORDER BY 1),
            audience = ARRAY(SELECT DISTINCT unnest(c.audience || excluded.audience) ORDER BY 1),
            authorization_details = (
              SELECT coalesce(jsonb_agg(DISTINCT detail), '[]') FROM jsonb_array_elements(
                c.authorization_details || excluded.authorization_details) AS detail),
            granted_at = excluded.granted_at`.execute(trx)
        const details = { scope: [...scope], audience: [...audience] }
        await insertAuditEvents(trx, now, [
          userEvent('consent.granted', userId, act, { clientId, details }),
        ])
      }),

    async list(userId) {
      const rows = await db
        .selectFrom('consents')
        .selectAll()
        .where('user_id', '=', userId)
        .orderBy('granted_at', 'desc')
        .orderBy('client_id')
        .execute()
      return rows.map(toConsent)
    },

    revoke: (userId, clientId, act) =>
      inTransaction(db, async (trx) => {
        const { rows } = await sql`
          DELETE FROM consents WHERE user_id = ${userId}::uuid AND client_id = ${clientId}
          RETURNING client_id`.execute(trx)
        if (rows.length === 0) return false
        const families = await endGrants(trx, userId, clientId)
        await insertAuditEvents(trx, now, [
          userEvent('consent.revoked', userId, act, { clientId, details: { families } }),
        ])
        return true
      }),
  }
}

const toConsent = (row: Selectable<ConsentRow>): Consent => ({
  userId: row.user_id,
  clientId: row.client_id,
  scope: row.scope,
  audience: row.audience,
  authorizationDetails: row.authorization_details,
  grantedAt: row.granted_at,
})
