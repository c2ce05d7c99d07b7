import { type Kysely, sql } from 'kysely'

// One for each thing that the audit log can be asked about; the newest come first.
const indexes = {
  audit_events_actor: sql`actor, occurred_at`,
  audit_events_client_id: sql`client_id, occurred_at`,
  audit_events_session_id: sql`session_id, occurred_at`,
  audit_events_address: sql`address, occurred_at`,
} as const

export const up = async (db: Kysely<unknown>): Promise<void> => {
  for (const [name, columns] of Object.entries(indexes)) {
    await sql`CREATE INDEX ${sql.id(name)} ON audit_events (${columns})`.execute(db)
  }
  // Most events are neither: what is severe stays quick to find among them.
  await sql`
    CREATE INDEX audit_events_severe ON audit_events (severity, occurred_at)
    WHERE severity IN ('warning', 'critical')`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  for (const name of [...Object.keys(indexes), 'audit_events_severe']) {
    await sql`DROP INDEX ${sql.id(name)}`.execute(db)
  }
}
