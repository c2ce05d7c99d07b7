import type { AccessTokenStore } from '../../tokens/access-token-revocation.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction } from './database.ts'
import { insertRevocations } from './revocation-rows.ts'

/** @param entryLifetimeSeconds how long a revocation entry must outlive the act. */
export const createAccessTokenStore = (
  { db, now }: Connection,
  entryLifetimeSeconds: () => number,
): AccessTokenStore => ({
  revoke: (tokenId, event) =>
    inTransaction(db, async (trx) => {
      await insertAuditEvents(trx, now, [event])
      await insertRevocations(trx, now, entryLifetimeSeconds(), [{ kind: 'jti', value: tokenId }])
    }),
})
