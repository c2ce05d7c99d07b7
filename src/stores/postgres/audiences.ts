import { sql } from 'kysely'
import type { StoredAudience } from '../../clients/audience.ts'
import type { AudienceStore } from '../../clients/audience-store.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction } from './database.ts'
import type { AudienceRow } from './schema.ts'

export const createAudienceStore = ({ db, now }: Connection): AudienceStore => ({
  async list() {
    const rows = await db
      .selectFrom('audiences')
      .select(['name', 'signing_algorithm', 'access_token_ttl_seconds', 'longest_ttl_seconds'])
      .select('scope')
      .orderBy('name')
      .execute()
    return rows.map(toAudience)
  },

  set: (audience, event) =>
    inTransaction(db, async (trx) => {
      await trx
        .insertInto('audiences')
        .values({
          name: audience.name,
          signing_algorithm: audience.signingAlgorithm ?? null,
          access_token_ttl_seconds: audience.accessTokenTtlSeconds ?? null,
          longest_ttl_seconds: audience.accessTokenTtlSeconds ?? null,
          scope: audience.scope === undefined ? null : [...audience.scope],
          created_at: now(),
          updated_at: now(),
        })
        .onConflict((conflict) =>
          conflict.column('name').doUpdateSet((eb) => ({
            signing_algorithm: eb.ref('excluded.signing_algorithm'),
            access_token_ttl_seconds: eb.ref('excluded.access_token_ttl_seconds'),
            longest_ttl_seconds: sql<number>`greatest(audiences.longest_ttl_seconds, excluded.longest_ttl_seconds)`,
            scope: eb.ref('excluded.scope'),
            updated_at: eb.ref('excluded.updated_at'),
          })),
        )
        .execute()
      await insertAuditEvents(trx, now, [event])
    }),
})

type Row = Omit<AudienceRow, 'created_at' | 'updated_at'>

const toAudience = (row: Row): StoredAudience => ({
  name: row.name,
  ...(row.signing_algorithm === null ? {} : { signingAlgorithm: row.signing_algorithm }),
  ...(row.access_token_ttl_seconds === null
    ? {}
    : { accessTokenTtlSeconds: row.access_token_ttl_seconds }),
  ...(row.scope === null ? {} : { scope: row.scope }),
  longestTtlSeconds: row.longest_ttl_seconds ?? 0,
})
