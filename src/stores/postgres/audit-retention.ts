import { sql } from 'kysely'
import type { Chore } from '../../jobs/housekeeping.ts'
import { auditPartitionsLock } from './audit-partitions.ts'
import { type Connection, inTransaction } from './database.ts'

const batch = 500

/**
 * Drops the oldest month of the audit log once all of it is older than the retention time, then
 * what lies in the default partition. Not concurrently: PostgreSQL does not detach so from a table
 * that has a default partition. But the lock is waited for shortly, and held for a moment, since a
 * detached table is only unlinked; whoever reads for long is not in anybody's way, but is let read.
 */
export const createAuditRetention = ({ db, now }: Connection, retentionDays: number): Chore => {
  const limit = () => sql`(${now()} - make_interval(days => ${retentionDays}::integer))`

  const dropMonth = (): Promise<number> =>
    inTransaction(db, async (trx) => {
      await sql`SELECT pg_advisory_xact_lock(${auditPartitionsLock.toString()}::bigint)`.execute(
        trx,
      )
      const { rows } = await sql<{ name: string }>`
        SELECT relname AS name FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'audit_events'::regclass AND relname ~ '^audit_events_\\d{4}_\\d{2}$'
          AND (to_date(right(relname, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC'
            <= ${limit()}
        ORDER BY relname LIMIT 1`.execute(trx)
      const [month] = rows
      if (month === undefined) return 0
      await sql`SET LOCAL lock_timeout = '500ms'`.execute(trx)
      const table = sql.table(month.name)
      await sql`ALTER TABLE audit_events DETACH PARTITION ${table}`.execute(trx)
      await sql`DROP TABLE ${table}`.execute(trx)
      return 1
    })

  const pruneDefault = async (): Promise<number> => {
    const { numAffectedRows } = await sql`
      DELETE FROM audit_events_default WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM audit_events_default WHERE occurred_at < ${limit()}
        LIMIT ${batch} FOR UPDATE SKIP LOCKED))`.execute(db)
    return Number(numAffectedRows ?? 0)
  }

  return {
    name: 'audit retention',
    run: async () => (await dropMonth()) || (await pruneDefault()),
  }
}
