import { type Kysely, sql } from 'kysely'

// A code names users and clients without foreign keys: it lives a minute, and is kept for a day to
// recognise a second use.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE authorization_codes (
      digest bytea PRIMARY KEY,
      client_id text NOT NULL,
      redirect_uri text NOT NULL,
      redirect_uri_stated boolean NOT NULL,
      code_challenge text,
      dpop_jkt text,
      user_id uuid NOT NULL,
      session_id uuid NOT NULL,
      credential_epoch bigint NOT NULL,
      auth_time timestamptz NOT NULL,
      amr text[] NOT NULL,
      acr text,
      scope text[] NOT NULL,
      audience text[],
      authorization_details jsonb,
      claims_request jsonb,
      nonce text,
      created_at timestamptz NOT NULL,
      expires_at timestamptz NOT NULL,
      used_at timestamptz,
      family_id uuid,
      reused_at timestamptz
    )`.execute(db)
  await sql`CREATE INDEX authorization_codes_expires_at ON authorization_codes (expires_at)`.execute(
    db,
  )
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`DROP TABLE authorization_codes`.execute(db)
}
