import { type Kysely, sql } from 'kysely'

export const up = async (db: Kysely<unknown>): Promise<void> => {
  // `longest_ttl_seconds` never falls: tokens of an earlier, longer setting may still be about, and
  // revocation entries must outlive them.
  await sql`
    CREATE TABLE audiences (
      name text PRIMARY KEY,
      signing_algorithm text CHECK (signing_algorithm IN ('RS256', 'ES256', 'EdDSA', 'PS256')),
      access_token_ttl_seconds integer CHECK (access_token_ttl_seconds BETWEEN 1 AND 86400),
      longest_ttl_seconds integer,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now()
    )`.execute(db)
  await sql`
    CREATE TABLE clients (
      id text PRIMARY KEY,
      name text NOT NULL,
      authentication_method text NOT NULL
        CHECK (authentication_method IN ('none', 'client_secret_basic', 'client_secret_post')),
      grant_types text[] NOT NULL,
      scope text[] NOT NULL,
      audience text[] NOT NULL,
      resource_server text[] NOT NULL,
      redirect_uris text[] NOT NULL,
      refresh_grace_seconds integer CHECK (refresh_grace_seconds BETWEEN 0 AND 600),
      refresh_retry_elsewhere text NOT NULL DEFAULT 'allow'
        CHECK (refresh_retry_elsewhere IN ('allow', 'refuse')),
      refresh_token_rotation text NOT NULL DEFAULT 'rotate'
        CHECK (refresh_token_rotation IN ('rotate', 'static')),
      built_in boolean NOT NULL DEFAULT false,
      disabled_at timestamptz,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now()
    )`.execute(db)
  await sql`
    CREATE TABLE client_secrets (
      id uuid PRIMARY KEY,
      client_id text NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
      digest bytea NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz
    )`.execute(db)
  await sql`CREATE INDEX client_secrets_client_id ON client_secrets (client_id)`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`DROP TABLE client_secrets`.execute(db)
  await sql`DROP TABLE clients`.execute(db)
  await sql`DROP TABLE audiences`.execute(db)
}
