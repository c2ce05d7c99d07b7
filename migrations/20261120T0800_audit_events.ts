import { type Kysely, sql } from 'kysely'

// Partitioned by month, dropped by partition. The default partition catches what no month covers.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE audit_events (
      id uuid NOT NULL,
      occurred_at timestamptz NOT NULL DEFAULT now(),
      type text NOT NULL,
      severity text NOT NULL CHECK (severity IN ('info', 'notice', 'warning', 'critical')),
      outcome text NOT NULL CHECK (outcome IN ('success', 'failure')),
      actor text,
      subject text,
      client_id text,
      session_id uuid,
      family_id uuid,
      request_id text,
      address text,
      user_agent text,
      details jsonb NOT NULL DEFAULT '{}',
      PRIMARY KEY (occurred_at, id)
    ) PARTITION BY RANGE (occurred_at)`.execute(db)
  await sql`CREATE TABLE audit_events_default PARTITION OF audit_events DEFAULT`.execute(db)
  await sql`CREATE INDEX audit_events_subject ON audit_events (subject, occurred_at)`.execute(db)
  await sql`CREATE INDEX audit_events_type ON audit_events (type, occurred_at)`.execute(db)
  await sql`CREATE INDEX audit_events_family_id ON audit_events (family_id, occurred_at)`.execute(
    db,
  )
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`DROP TABLE audit_events`.execute(db)
}
