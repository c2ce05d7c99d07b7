import { type Kysely, sql } from 'kysely'

// A session may belong to a browser, which proves it by a secret of its own; clients share it.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    ALTER TABLE sessions
      ADD COLUMN cookie_digest bytea,
      ADD COLUMN last_seen_at timestamptz,
      ADD COLUMN acr text`.execute(db)
  await sql`CREATE UNIQUE INDEX sessions_cookie_digest ON sessions (cookie_digest)
    WHERE cookie_digest IS NOT NULL`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    ALTER TABLE sessions DROP COLUMN cookie_digest, DROP COLUMN last_seen_at, DROP COLUMN acr
  `.execute(db)
}
