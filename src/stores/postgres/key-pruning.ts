import type { Chore } from '../../jobs/housekeeping.ts'
import { byTheService } from '../../keys/first-keys.ts'
import { insertAuditEvents } from './audit.ts'
import { type Connection, inTransaction } from './database.ts'
import { macKeyEvent } from './mac-keys.ts'
import { keyEvent } from './signing-keys.ts'

/**
 * Removes keys whose time is over, the sealed halves with them. Until then a node that starts must
 * be able to publish a retired key, and it trusts no public half but the one in the sealed key.
 */
export const createKeyPruners = ({ db, now }: Connection): Chore[] => [
  {
    name: 'signing_keys',
    run: () =>
      inTransaction(db, async (trx) => {
        const removed = await trx
          .deleteFrom('signing_keys')
          .where('drop_after', '<=', now())
          .returning(['key_id', 'algorithm'])
          .execute()
        const events = removed.map(({ key_id, algorithm }) =>
          keyEvent('key.removed', key_id, algorithm, byTheService),
        )
        await insertAuditEvents(trx, now, events)
        return removed.length
      }),
  },
  {
    name: 'mac_keys',
    run: () =>
      inTransaction(db, async (trx) => {
        const removed = await trx
          .deleteFrom('mac_keys')
          .where('drop_after', '<=', now())
          .returning('number')
          .execute()
        const events = removed.map(({ number }) => macKeyEvent('key.removed', number, byTheService))
        await insertAuditEvents(trx, now, events)
        return removed.length
      }),
  },
]
