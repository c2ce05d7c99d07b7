import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE sessions (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      user_agent text,
      address text,
      amr text[] NOT NULL,
      auth_time timestamptz NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL,
      ended_at timestamptz,
      ended_reason text
    )`.execute(db)
  await sql`CREATE INDEX sessions_user_id ON sessions (user_id, created_at)`.execute(db)
  await sql`CREATE INDEX sessions_expires_at ON sessions (expires_at)`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`DROP TABLE sessions`.execute(db)
}
