import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE consents (
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      client_id text NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
      scope text[] NOT NULL,
      audience text[] NOT NULL,
      authorization_details jsonb NOT NULL DEFAULT '[]',
      granted_at timestamptz NOT NULL,
      PRIMARY KEY (user_id, client_id)
    )`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`DROP TABLE consents`.execute(db)
}
