import { type RawBuilder, sql } from 'kysely'
import type {
  AuditFilter,
  AuditLog,
  AuditPage,
  AuditPaging,
  LoggedEvent,
} from '../../audit/audit-log.ts'
import type { Connection } from './database.ts'
import type { AuditEventRow } from './schema.ts'

/** Reads the audit log by its indexes; a page costs the same wherever it stands. */
export const createAuditLog = ({ db }: Pick<Connection, 'db'>): AuditLog => ({
  async find(filter, paging) {
    const { rows } = await newest(conditionOf(filter), paging).execute(db)
    return toPage(rows, paging.limit)
  },

  async findOwn(userId, paging) {
    // Two walks of one index each: with OR the planner would read the whole log.
    const { rows } = await sql<Row>`
      SELECT * FROM ((${newest(sql`subject = ${userId}`, paging)})
        UNION ALL
        (${newest(sql`actor = ${userId} AND subject IS DISTINCT FROM ${userId}`, paging)})) AS own
      ORDER BY occurred_at DESC, id DESC LIMIT ${paging.limit + 1}`.execute(db)
    return toPage(rows, paging.limit)
  },
})

type Row = Omit<AuditEventRow, 'occurred_at' | 'details'> & {
  occurred_at: Date
  details: Record<string, unknown>
  position: string
}

/** One row more than the page holds tells whether there is another page. */
const newest = (condition: RawBuilder<unknown>, { limit, before }: AuditPaging): RawBuilder<Row> =>
  sql<Row>`
    SELECT *,
      to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS position
    FROM audit_events
    WHERE ${condition} AND ${
      before === undefined
        ? sql`true`
        : sql`(occurred_at, id) < (${before.at}::timestamptz, ${before.id}::uuid)`
    }
    ORDER BY occurred_at DESC, id DESC LIMIT ${limit + 1}`

const conditionOf = (filter: AuditFilter): RawBuilder<unknown> => {
  const { from, to } = filter
  const { sessionId, familyId, ...texts } = filter
  const conditions = [
    ...textColumns.flatMap(([member, column]) =>
      texts[member] === undefined ? [] : [sql`${sql.ref(column)} = ${texts[member]}`],
    ),
    ...(sessionId === undefined ? [] : [sql`session_id = ${sessionId}::uuid`]),
    ...(familyId === undefined ? [] : [sql`family_id = ${familyId}::uuid`]),
    ...(from === undefined ? [] : [sql`occurred_at >= ${from}`]),
    ...(to === undefined ? [] : [sql`occurred_at < ${to}`]),
  ]
  return conditions.length === 0 ? sql`true` : sql.join(conditions, sql` AND `)
}

const textColumns = [
  ['type', 'type'],
  ['severity', 'severity'],
  ['subject', 'subject'],
  ['actor', 'actor'],
  ['clientId', 'client_id'],
  ['address', 'address'],
] as const

const toPage = (rows: readonly Row[], limit: number): AuditPage => {
  const last = rows.length > limit ? rows[limit - 1] : undefined
  return {
    events: rows.slice(0, limit).map(toLoggedEvent),
    next: last && { at: last.position, id: last.id },
  }
}

const toLoggedEvent = (row: Row): LoggedEvent => ({
  id: row.id,
  occurredAt: row.occurred_at,
  type: row.type,
  severity: row.severity,
  outcome: row.outcome,
  actor: row.actor,
  subject: row.subject,
  clientId: row.client_id,
  sessionId: row.session_id,
  familyId: row.family_id,
  requestId: row.request_id,
  address: row.address,
  userAgent: row.user_agent,
  details: row.details,
})
