import { type Kysely, sql } from 'kysely'

// Authorization requests that were pushed, or wait for their user. Of what names or unlocks one only
// a digest is kept.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE authorization_requests (
      id uuid PRIMARY KEY,
      client_id text NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
      request jsonb NOT NULL,
      pushed_digest bytea UNIQUE,
      browser_digest bytea,
      session_id uuid,
      created_at timestamptz NOT NULL,
      expires_at timestamptz NOT NULL,
      used_at timestamptz
    )`.execute(db)
  await sql`CREATE INDEX authorization_requests_client_id ON authorization_requests (client_id)`.execute(
    db,
  )
  await sql`CREATE INDEX authorization_requests_expires_at ON authorization_requests (expires_at)`.execute(
    db,
  )
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`DROP TABLE authorization_requests`.execute(db)
}
