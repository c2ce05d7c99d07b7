import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`INSERT INTO schema_releases (release) VALUES (3)`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`DELETE FROM schema_releases WHERE release = 3`.execute(db)
}
