import { type Kysely, sql } from 'kysely'

// What an authorization asked for beyond scope: tokens of the family carry it as long as it lives.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    ALTER TABLE refresh_families
      ADD COLUMN authorization_details jsonb,
      ADD COLUMN claims_request jsonb`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    ALTER TABLE refresh_families
      DROP COLUMN authorization_details,
      DROP COLUMN claims_request`.execute(db)
}
