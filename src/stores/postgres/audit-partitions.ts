import { type RawBuilder, sql } from 'kysely'
import type { Chore } from '../../jobs/housekeeping.ts'
import { type Connection, inTransaction } from './database.ts'

const monthsAhead = 3
/** Held by whoever makes partitions or drops them. */
export const auditPartitionsLock = 0x617564n

/** Makes the partitions of this month and the next three. Idempotent, safe on many nodes. */
export const createAuditPartitions = ({ db, now }: Connection): Chore => ({
  name: 'audit partitions',
  run: () =>
    inTransaction(db, async (trx) => {
      await sql`SELECT pg_advisory_xact_lock(${auditPartitionsLock.toString()}::bigint)`.execute(
        trx,
      )
      const months = await missingMonths(now, trx)
      for (const { name, start, end } of months) {
        await sql`
          CREATE TABLE ${sql.table(name)} PARTITION OF audit_events
          FOR VALUES FROM (${sql.lit(start)}) TO (${sql.lit(end)})`.execute(trx)
      }
      return months.length
    }),
})

type Month = { readonly name: string; readonly start: string; readonly end: string }

// A month whose events already lie in the default partition cannot get one of its own any more.
const missingMonths = async (
  now: () => RawBuilder<Date>,
  trx: Parameters<RawBuilder<unknown>['execute']>[0],
): Promise<Month[]> => {
  const { rows } = await sql<Month>`
    SELECT 'audit_events_' || to_char(month, 'YYYY_MM') AS name,
      to_char(month, 'YYYY-MM-DD') || 'T00:00:00Z' AS start,
      to_char(month + interval '1 month', 'YYYY-MM-DD') || 'T00:00:00Z' AS "end"
    FROM generate_series(0, ${monthsAhead}::integer) AS ahead,
      LATERAL (SELECT date_trunc('month', ${now()} AT TIME ZONE 'UTC')
        + ahead * interval '1 month' AS month) AS months
    WHERE to_regclass('audit_events_' || to_char(month, 'YYYY_MM')) IS NULL
      AND NOT EXISTS (
        SELECT FROM audit_events_default d
        WHERE d.occurred_at >= month AT TIME ZONE 'UTC'
          AND d.occurred_at < (month + interval '1 month') AT TIME ZONE 'UTC')`.execute(trx)
  return rows
}
