import { type Kysely, sql } from 'kysely'

// Whose assertions are believed, about whom, and what clients get for them.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE assertion_issuers (
      issuer text PRIMARY KEY,
      jwks jsonb,
      jwks_uri text,
      clients text[] NOT NULL,
      audience text[] NOT NULL,
      scope text[] NOT NULL,
      subject text NOT NULL,
      assertion_audience text NOT NULL,
      max_lifetime_seconds integer NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now()
    )`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`DROP TABLE assertion_issuers`.execute(db)
}
