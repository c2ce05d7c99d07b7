import { type Kysely, sql } from 'kysely'

// Which clients a session has been told to, for as long as the session is kept; and what is still to
// be told to them once it has ended: an outbox that every node empties.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE session_clients (
      session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
      client_id text NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
      PRIMARY KEY (session_id, client_id)
    )`.execute(db)
  await sql`CREATE INDEX session_clients_client_id ON session_clients (client_id)`.execute(db)
  await sql`
    CREATE TABLE logout_notices (
      id uuid PRIMARY KEY,
      client_id text NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
      user_id uuid NOT NULL,
      session_id uuid NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      attempts integer NOT NULL DEFAULT 0,
      next_attempt_at timestamptz,
      delivered_at timestamptz,
      UNIQUE (session_id, client_id)
    )`.execute(db)
  await sql`CREATE INDEX logout_notices_client_id ON logout_notices (client_id)`.execute(db)
  await sql`
    CREATE INDEX logout_notices_next_attempt_at ON logout_notices (next_attempt_at)
    WHERE next_attempt_at IS NOT NULL`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`DROP TABLE logout_notices`.execute(db)
  await sql`DROP TABLE session_clients`.execute(db)
}
