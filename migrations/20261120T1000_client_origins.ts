import { type Kysely, sql } from 'kysely'

// Origins whose scripts may read what the client's requests are answered.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`ALTER TABLE clients ADD COLUMN cors_origins text[] NOT NULL DEFAULT '{}'`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`ALTER TABLE clients DROP COLUMN cors_origins`.execute(db)
}
