import { type Kysely, sql } from 'kysely'

// Which releases of the schema have been applied. The first migration of a release that changes the
// schema inserts the next number here, so that older code can tell how far ahead a schema is.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE schema_releases (
      release integer PRIMARY KEY CHECK (release > 0),
      applied_at timestamptz NOT NULL DEFAULT now()
    )`.execute(db)
  await sql`INSERT INTO schema_releases (release) VALUES (1)`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`DROP TABLE schema_releases`.execute(db)
}
