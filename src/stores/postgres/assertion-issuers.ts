import type { Selectable } from 'kysely'
import type { AssertionIssuer, AssertionIssuerStore } from '../../clients/assertion-issuer.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction } from './database.ts'
import type { AssertionIssuerRow } from './schema.ts'

export const createAssertionIssuerStore = ({ db, now }: Connection): AssertionIssuerStore => ({
  async find(issuer) {
    const row = await db
      .selectFrom('assertion_issuers')
      .selectAll()
      .where('issuer', '=', issuer)
      .executeTakeFirst()
    return row && toAssertionIssuer(row)
  },

  async list() {
    const rows = await db.selectFrom('assertion_issuers').selectAll().orderBy('issuer').execute()
    return rows.map(toAssertionIssuer)
  },

  set: (assertionIssuer, event) =>
    inTransaction(db, async (trx) => {
      const { issuer, ...row } = toRow(assertionIssuer)
      const changed = { ...row, updated_at: now() }
      await trx
        .insertInto('assertion_issuers')
        .values({ issuer, ...changed, created_at: now() })
        .onConflict((conflict) => conflict.column('issuer').doUpdateSet(changed))
        .execute()
      await insertAuditEvents(trx, now, [event])
    }),

  remove: (issuer, event) =>
    inTransaction(db, async (trx) => {
      const removed = await trx
        .deleteFrom('assertion_issuers')
        .where('issuer', '=', issuer)
        .returning('issuer')
        .executeTakeFirst()
      if (removed === undefined) return false
      await insertAuditEvents(trx, now, [event])
      return true
    }),
})

const toRow = (from: AssertionIssuer) => ({
  issuer: from.issuer,
  jwks: from.jwks === null ? null : JSON.stringify(from.jwks),
  jwks_uri: from.jwksUri,
  clients: [...from.clients],
  audience: [...from.audience],
  scope: [...from.scope],
  subject: from.subject,
  assertion_audience: from.assertionAudience,
  max_lifetime_seconds: from.maxLifetimeSeconds,
})

const toAssertionIssuer = (row: Selectable<AssertionIssuerRow>): AssertionIssuer => ({
  issuer: row.issuer,
  jwks: row.jwks as AssertionIssuer['jwks'],
  jwksUri: row.jwks_uri,
  clients: row.clients,
  audience: row.audience,
  scope: row.scope,
  subject: row.subject,
  assertionAudience: row.assertion_audience,
  maxLifetimeSeconds: row.max_lifetime_seconds,
})
