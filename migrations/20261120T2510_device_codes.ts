import { type Kysely, sql } from 'kysely'

// As authorization codes, but asked for by the device before anybody has signed in: who allowed it
// is filled in later. Kept for a day after its end, so that a device is told what became of it.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE device_codes (
      digest bytea PRIMARY KEY,
      user_code_digest bytea NOT NULL UNIQUE,
      client_id text NOT NULL,
      scope text[] NOT NULL,
      audience text[],
      authorization_details jsonb,
      interval_seconds integer NOT NULL,
      polled_at timestamptz,
      created_at timestamptz NOT NULL,
      expires_at timestamptz NOT NULL,
      user_id uuid,
      session_id uuid,
      credential_epoch bigint,
      auth_time timestamptz,
      amr text[],
      acr text,
      approved_at timestamptz,
      denied_at timestamptz,
      used_at timestamptz,
      family_id uuid
    )`.execute(db)
  await sql`CREATE INDEX device_codes_expires_at ON device_codes (expires_at)`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`DROP TABLE device_codes`.execute(db)
}
