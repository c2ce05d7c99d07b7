import { type Kysely, sql } from 'kysely'

// Keys of the service that are never replaced, each by its purpose; sealed like all others.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE service_keys (
      purpose text PRIMARY KEY,
      sealed_key bytea NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now()
    )`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`DROP TABLE service_keys`.execute(db)
}
