import { randomUUID } from 'node:crypto'
import { type RawBuilder, sql } from 'kysely'
import type { Alert, AlertFacts, AlertStore } from '../../audit/alert.ts'
import type { EarlierAlert, Sighting } from '../../audit/alert-decision.ts'
import type { AlertKey, AlertRule } from '../../audit/alert-rules.ts'
import { insertAuditEvents } from './audit.ts'
import { alertEvent, type CountedRow, factsOf } from './audit-alert-rows.ts'
import { type Connection, inTransaction, type Tx } from './database.ts'

const lock = 0x616c72n

/** Alerts that were raised, which are at once the outbox of those that are to be sent. */
export const createAlertStore = ({ db, now }: Connection): AlertStore => ({
  raise: (rules, decide, toBeSent) =>
    inTransaction(db, async (trx) => {
      const { rows } = await sql<{ held: boolean; at: Date }>`
        SELECT pg_try_advisory_xact_lock(${lock.toString()}::bigint) AS held, ${now()} AS at`.execute(
        trx,
      )
      // Whoever holds it sees what this node would.
      if (rows[0]?.held !== true) return []
      const { at } = rows[0]
      const earlier = await findEarlier(trx, now, rules)
      const sightings: CountedSighting[] = []
      for (const rule of rules) sightings.push(...(await findSightings(trx, now, rule)))
      const alerts: Alert[] = []
      for (const sighting of decide(rules, sightings, earlier, at)) {
        alerts.push(await insertAlert(trx, now, sighting, toBeSent))
      }
      return alerts
    }),

  async claim(delaysSeconds) {
    const { rows } = await sql<AlertRow>`
      UPDATE alerts SET attempts = attempts + 1,
        next_attempt_at = ${now()} + make_interval(secs => (
          (${[...delaysSeconds]}::float8[])[attempts + 1]))
      WHERE id = (
        SELECT id FROM alerts WHERE next_attempt_at <= ${now()}
        ORDER BY next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED)
      RETURNING id, rule, raised_at, facts, attempts`.execute(db)
    return rows[0] && { ...toAlert(rows[0]), attempt: rows[0].attempts }
  },

  async markDelivered(id) {
    await sql`
      UPDATE alerts SET delivered_at = ${now()}, next_attempt_at = NULL
      WHERE id = ${id}::uuid`.execute(db)
  },
})

type CountedSighting = Sighting & { readonly row: CountedRow; readonly about: AlertKey }
type AlertRow = { id: string; rule: string; raised_at: Date; facts: AlertFacts; attempts: number }

const toAlert = ({ id, rule, raised_at: raisedAt, facts }: AlertRow): Alert => ({
  ...{ id, rule, raisedAt, facts },
})

const findEarlier = async (
  trx: Tx,
  now: Connection['now'],
  rules: readonly AlertRule[],
): Promise<EarlierAlert[]> => {
  const longest = Math.max(...rules.map(({ quietSeconds }) => quietSeconds))
  const { rows } = await sql<EarlierAlert>`
    SELECT rule, key, raised_at AS "raisedAt" FROM alerts
    WHERE raised_at > ${now()} - make_interval(secs => ${longest}::float8)`.execute(trx)
  return rows
}

// One household or server has 2^64 addresses of IPv6.
const network = sql`host(network(set_masklen(address::inet,
  CASE family(address::inet) WHEN 6 THEN 64 ELSE 32 END)))`

const keyColumns: Record<AlertKey, RawBuilder<unknown>> = {
  subject: sql`subject`,
  client: sql`client_id`,
  address: network,
  subject_or_address: sql`coalesce(subject, ${network})`,
  family: sql`family_id::text`,
  // What the service does by itself, such as a scheduled rotation, nobody has to be told of.
  act: sql`CASE WHEN actor IS NOT NULL THEN concat_ws(' ', type, coalesce(subject, client_id)) END`,
  everywhere: sql`'everywhere'`,
}

// What an alert has told of does not count again. An event is committed seconds after its time, or
// once the database is back, so only of a key that has just raised an alert anything can be missed.
const findSightings = async (
  trx: Tx,
  now: Connection['now'],
  rule: AlertRule,
): Promise<CountedSighting[]> => {
  const { name, types, key, threshold, withinSeconds } = rule
  const { rows } = await sql<CountedRow>`
    SELECT key, count(*)::integer AS count, min(occurred_at) AS first_at,
      max(occurred_at) AS last_at, max(ARRAY[
        to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), id::text]) AS last
    FROM (
      SELECT occurred_at, id, ${keyColumns[key]} AS key FROM audit_events
      WHERE type = ANY (${[...types]}::text[])
        AND occurred_at > ${now()} - make_interval(secs => ${withinSeconds}::float8)) AS events
    LEFT JOIN (
      SELECT key, max(seen_until) AS seen_until FROM alerts WHERE rule = ${name} GROUP BY key
    ) AS earlier USING (key)
    WHERE key IS NOT NULL AND (seen_until IS NULL OR occurred_at > seen_until)
    GROUP BY key HAVING count(*) >= ${threshold}
    ORDER BY count(*) DESC, key LIMIT 100`.execute(trx)
  return rows.map((row) => ({
    ...{ rule: name, about: key, key: row.key, count: row.count, row },
  }))
}

const insertAlert = async (
  trx: Tx,
  now: Connection['now'],
  { rule, about, key, row }: CountedSighting,
  toBeSent: boolean,
): Promise<Alert> => {
  const id = randomUUID()
  const [lastAt, lastId] = row.last
  const last = await trx
    .selectFrom('audit_events')
    .selectAll()
    .where('occurred_at', '=', sql<Date>`${lastAt}::timestamptz`)
    .where('id', '=', lastId)
    .executeTakeFirstOrThrow()
  const facts = factsOf(row, last)
  const { rows } = await sql<{ raised_at: Date }>`
    INSERT INTO alerts (id, rule, key, facts, raised_at, seen_until, next_attempt_at)
    VALUES (${id}::uuid, ${rule}, ${key}, ${JSON.stringify(facts)}::jsonb, ${now()},
      ${lastAt}::timestamptz, ${toBeSent ? now() : null})
    RETURNING raised_at`.execute(trx)
  await insertAuditEvents(trx, now, [alertEvent(id, rule, about, facts)])
  return { id, rule, facts, raisedAt: rows[0]?.raised_at ?? row.last_at }
}
