import { type Kysely, sql } from 'kysely'

// Null: an audience that does not say which scopes it knows.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`ALTER TABLE audiences ADD COLUMN scope text[]`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`ALTER TABLE audiences DROP COLUMN scope`.execute(db)
}
