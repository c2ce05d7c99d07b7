import { type Kysely, sql } from 'kysely'

// The states of a signing key follow from its times; the two unique indexes keep two keys of one
// algorithm from signing without end, and from waiting, at once, whoever writes.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE signing_keys (
      key_id text PRIMARY KEY,
      algorithm text NOT NULL CHECK (algorithm IN ('RS256', 'ES256', 'EdDSA', 'PS256')),
      public_jwk jsonb NOT NULL,
      sealed_private_key bytea NOT NULL,
      published_at timestamptz NOT NULL DEFAULT now(),
      sign_from timestamptz CHECK (sign_from >= published_at),
      sign_until timestamptz,
      drop_after timestamptz,
      CHECK (sign_until IS NULL OR (sign_from IS NOT NULL AND sign_until >= sign_from)),
      CHECK (drop_after IS NULL OR (sign_until IS NOT NULL AND drop_after >= sign_until))
    )`.execute(db)
  await sql`
    CREATE UNIQUE INDEX signing_keys_one_lasting_signer ON signing_keys (algorithm)
    WHERE sign_from IS NOT NULL AND sign_until IS NULL`.execute(db)
  await sql`
    CREATE UNIQUE INDEX signing_keys_one_next ON signing_keys (algorithm)
    WHERE sign_from IS NULL`.execute(db)
  await sql`
    CREATE TABLE mac_keys (
      number smallint PRIMARY KEY CHECK (number BETWEEN 1 AND 255),
      sealed_key bytea NOT NULL,
      published_at timestamptz NOT NULL DEFAULT now(),
      use_from timestamptz NOT NULL CHECK (use_from >= published_at)
    )`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`DROP TABLE mac_keys`.execute(db)
  await sql`DROP TABLE signing_keys`.execute(db)
}
