import { type Kysely, sql } from 'kysely'

// The columns that a refresh changes stand last and no index names them: every rotation is then a
// heap-only update, and a family stays one row for its whole life.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE refresh_families (
      id uuid PRIMARY KEY,
      session_id uuid,
      user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      user_version bigint NOT NULL,
      client_id text NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
      scope text[] NOT NULL,
      audience text[] NOT NULL,
      auth_time timestamptz NOT NULL,
      amr text[] NOT NULL,
      acr text,
      confirmation text,
      status_index bigint,
      offline boolean NOT NULL DEFAULT false,
      created_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL,
      idle_timeout interval NOT NULL,
      revoked_at timestamptz,
      revoked_reason text,
      generation bigint NOT NULL,
      digest bytea NOT NULL,
      successor_salt bytea,
      rotated_at timestamptz,
      rotated_from bytea,
      last_used_at timestamptz NOT NULL
    ) WITH (fillfactor = 80)`.execute(db)
  await sql`CREATE INDEX refresh_families_user_id ON refresh_families (user_id)`.execute(db)
  await sql`CREATE INDEX refresh_families_session_id ON refresh_families (session_id)`.execute(db)
  await sql`CREATE INDEX refresh_families_client_id ON refresh_families (client_id)`.execute(db)
  await sql`CREATE INDEX refresh_families_expires_at ON refresh_families (expires_at)`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`DROP TABLE refresh_families`.execute(db)
}
