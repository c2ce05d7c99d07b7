import { type Kysely, sql } from 'kysely'

// Access tokens name what a code gave, and what was asked for with it is looked up by that name.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE INDEX authorization_codes_family_id ON authorization_codes (family_id)
    WHERE family_id IS NOT NULL`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`DROP INDEX authorization_codes_family_id`.execute(db)
}
