import { type Kysely, sql } from 'kysely'

// Digests of ids that are good once. Rows are few and short-lived: what has expired is refused
// without them.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE one_time_ids (
      digest bytea PRIMARY KEY,
      expires_at timestamptz NOT NULL
    )`.execute(db)
  await sql`CREATE INDEX one_time_ids_expires_at ON one_time_ids (expires_at)`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`DROP TABLE one_time_ids`.execute(db)
}
