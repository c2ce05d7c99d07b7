import { type Kysely, sql } from 'kysely'

// What was raised, and at the same time what is still to be sent: an outbox that every node empties.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE alerts (
      id uuid PRIMARY KEY,
      rule text NOT NULL,
      key text NOT NULL,
      facts jsonb NOT NULL,
      raised_at timestamptz NOT NULL DEFAULT now(),
      seen_until timestamptz NOT NULL,
      attempts integer NOT NULL DEFAULT 0,
      next_attempt_at timestamptz,
      delivered_at timestamptz
    )`.execute(db)
  await sql`CREATE INDEX alerts_rule ON alerts (rule, raised_at)`.execute(db)
  await sql`
    CREATE INDEX alerts_next_attempt_at ON alerts (next_attempt_at)
    WHERE next_attempt_at IS NOT NULL`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`DROP TABLE alerts`.execute(db)
}
