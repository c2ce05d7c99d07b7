import { randomUUID } from 'node:crypto'
import { type RawBuilder, sql } from 'kysely'
import type { Chore } from '../../jobs/housekeeping.ts'
import type { Connection } from './database.ts'

const batch = 500

/** Every table that grows with use, each with the condition under which a row is of no use. */
export const createPruners = ({ db, now }: Connection): Chore[] => {
  const byCondition = (table: string, condition: RawBuilder<unknown>): Chore => ({
    name: table,
    async run() {
      const { numAffectedRows } = await sql`
        DELETE FROM ${sql.table(table)} WHERE ctid = ANY (ARRAY(
          SELECT ctid FROM ${sql.table(table)} WHERE ${condition}
          LIMIT ${batch} FOR UPDATE SKIP LOCKED))`.execute(db)
      return Number(numAffectedRows ?? 0)
    },
  })
  return [
    byCondition('refresh_families', sql`expires_at < ${now()}`),
    createIdleWalk({ db, now }),
    byCondition('sessions', sql`expires_at < ${now()}`),
    byCondition('revocations', sql`expires_at < ${now()}`),
    byCondition('client_secrets', sql`expires_at < ${now()}`),
    // No retry window is longer than ten minutes, outages aside.
    byCondition('outages', sql`ended_at < ${now()} - interval '1 day'`),
  ]
}

// Of a stretch most rows are only looked at.
const stretch = 2000
const beginning = '00000000-0000-0000-0000-000000000000'

/**
 * Idle families, by a slow walk along the primary key: an index that names `last_used_at` would
 * cost every refresh its heap-only update. Each process begins anywhere, so that nodes walk apart
 * and restarts, however many, leave no family out.
 */
const createIdleWalk = ({ db, now }: Connection): Chore => {
  let cursor: string = randomUUID()
  return {
    name: 'refresh_families (idle)',
    async run() {
      const { rows } = await sql<{ last: string | null; pruned: number }>`
        WITH stretch AS (
          SELECT id, last_used_at + idle_timeout < ${now()} AS idle FROM refresh_families
          WHERE id > ${cursor}::uuid ORDER BY id LIMIT ${stretch}
        ), gone AS (
          DELETE FROM refresh_families WHERE id = ANY (ARRAY(
            SELECT f.id FROM refresh_families f JOIN stretch USING (id)
            WHERE stretch.idle FOR UPDATE OF f SKIP LOCKED))
            AND last_used_at + idle_timeout < ${now()}
          RETURNING id
        )
        SELECT (SELECT max(id::text) FROM stretch) AS last, (SELECT count(*) FROM gone) AS pruned`.execute(
        db,
      )
      const [row] = rows
      cursor = row?.last ?? beginning
      return Number(row?.pruned ?? 0)
    },
  }
}
