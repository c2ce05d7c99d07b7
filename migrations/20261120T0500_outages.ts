import { type Kysely, sql } from 'kysely'

// Spans in which the service could not answer; they do not count towards a retry window.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE outages (
      id uuid PRIMARY KEY,
      started_at timestamptz NOT NULL,
      ended_at timestamptz NOT NULL CHECK (ended_at > started_at)
    )`.execute(db)
  await sql`CREATE INDEX outages_ended_at ON outages (ended_at)`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`DROP TABLE outages`.execute(db)
}
