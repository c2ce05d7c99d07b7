import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE signing_keys (
      key_id text PRIMARY KEY,
      algorithm text NOT NULL CHECK (algorithm IN ('RS256', 'ES256', 'EdDSA', 'PS256')),
      public_jwk jsonb NOT NULL,
      sealed_private_key bytea NOT NULL,
      published_at timestamptz NOT NULL DEFAULT now(),
      sign_from timestamptz,
      sign_until timestamptz,
      drop_after timestamptz
    )`.execute(db)
  await sql`
    CREATE TABLE mac_keys (
      number smallint PRIMARY KEY CHECK (number BETWEEN 1 AND 255),
      sealed_key bytea NOT NULL,
      published_at timestamptz NOT NULL DEFAULT now(),
      use_from timestamptz NOT NULL
    )`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`DROP TABLE mac_keys`.execute(db)
  await sql`DROP TABLE signing_keys`.execute(db)
}
