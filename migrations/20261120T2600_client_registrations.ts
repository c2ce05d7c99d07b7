import { type Kysely, sql } from 'kysely'

// Clients that register themselves (RFC 7591): who let them, and the digest of the token by which
// they manage their registration (RFC 7592); and the tokens that operators hand out for it.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    ALTER TABLE clients
      ADD COLUMN registered_by text NOT NULL DEFAULT 'operator'
        CHECK (registered_by IN ('operator', 'token', 'open')),
      ADD COLUMN registration_access_digest bytea`.execute(db)
  await sql`
    CREATE TABLE registration_tokens (
      id uuid PRIMARY KEY,
      name text NOT NULL,
      digest bytea NOT NULL UNIQUE,
      max_uses integer CHECK (max_uses > 0),
      uses integer NOT NULL DEFAULT 0 CHECK (uses <= max_uses),
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL,
      revoked_at timestamptz
    )`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`DROP TABLE registration_tokens`.execute(db)
  await sql`
    ALTER TABLE clients
      DROP COLUMN registration_access_digest,
      DROP COLUMN registered_by`.execute(db)
}
