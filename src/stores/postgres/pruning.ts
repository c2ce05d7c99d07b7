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
    createWalk({ db, now }, 'refresh_families', endedFamily),
    byCondition('sessions', sql`expires_at < ${now()}`),
    createWalk({ db, now }, 'sessions', endedSession),
    byCondition('authorization_requests', sql`expires_at < ${now()}`),
    // Kept for a day, so that a second use is known for what it is.
    byCondition('authorization_codes', sql`expires_at < ${now()} - interval '1 day'`),
    // The same, so that a device is told what became of it.
    byCondition('device_codes', sql`expires_at < ${now()} - interval '1 day'`),
    byCondition('revocations', sql`expires_at < ${now()}`),
    byCondition('client_secrets', sql`expires_at < ${now()}`),
    // Who looks into who registered by one finds it a month longer.
    byCondition('registration_tokens', sql`expires_at < ${now()} - interval '30 days'`),
    byCondition('one_time_ids', sql`expires_at < ${now()}`),
    // Attempts to send one end after less than a day.
    byCondition('alerts', sql`raised_at < ${now()} - interval '30 days'`),
    byCondition('logout_notices', sql`created_at < ${now()} - interval '7 days'`),
    // No retry window is longer than ten minutes, outages aside.
    byCondition('outages', sql`ended_at < ${now()} - interval '1 day'`),
  ]
}

type Now = Connection['now']

// What has ended says for a while why, to its owner and to whoever looks into a complaint.
const keptAfterEnd = sql`interval '7 days'`
const endedFamily = (now: Now) => sql`(last_used_at + idle_timeout < ${now()}
  OR revoked_at < ${now()} - ${keptAfterEnd})`
const endedSession = (now: Now) => sql`ended_at < ${now()} - ${keptAfterEnd}`

// Of a stretch most rows are only looked at.
const stretch = 2000
const beginning = '00000000-0000-0000-0000-000000000000'

/**
 * Rows that have ended, by a slow walk along the primary key: an index that names `last_used_at`
 * would cost every refresh its heap-only update, and one of what has ended is not worth its writes.
 * Each process begins anywhere, so that nodes walk apart and restarts, however many, leave none out.
 */
const createWalk = (
  { db, now }: Connection,
  table: 'refresh_families' | 'sessions',
  hasEnded: (now: Now) => RawBuilder<unknown>,
): Chore => {
  let cursor: string = randomUUID()
  return {
    name: `${table} (ended)`,
    async run() {
      const { rows } = await sql<{ last: string | null; pruned: number }>`
        WITH stretch AS (
          SELECT id, ${hasEnded(now)} AS ended FROM ${sql.table(table)}
          WHERE id > ${cursor}::uuid ORDER BY id LIMIT ${stretch}
        ), gone AS (
          DELETE FROM ${sql.table(table)} WHERE id = ANY (ARRAY(
            SELECT t.id FROM ${sql.table(table)} t JOIN stretch USING (id)
            WHERE stretch.ended FOR UPDATE OF t SKIP LOCKED))
            AND ${hasEnded(now)}
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
