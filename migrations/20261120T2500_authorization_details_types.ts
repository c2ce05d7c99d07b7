import { type Kysely, sql } from 'kysely'

// What clients may ask for beyond scope: each type says by a JSON Schema which members it has.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE authorization_details_types (
      type text PRIMARY KEY,
      description text NOT NULL,
      schema jsonb NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now()
    )`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`DROP TABLE authorization_details_types`.execute(db)
}
