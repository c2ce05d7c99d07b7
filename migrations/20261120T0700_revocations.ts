import { type Kysely, sql } from 'kysely'

// `changed_at` moves when an entry is prolonged or lifted, so that nodes that poll see it.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE revocations (
      kind text NOT NULL CHECK (kind IN ('jti', 'fam', 'sid', 'sub', 'client', 'kid')),
      value text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      changed_at timestamptz NOT NULL DEFAULT now(),
      expires_at timestamptz NOT NULL,
      lifted boolean NOT NULL DEFAULT false,
      PRIMARY KEY (kind, value)
    )`.execute(db)
  await sql`CREATE INDEX revocations_changed_at ON revocations (changed_at)`.execute(db)
  await sql`CREATE INDEX revocations_expires_at ON revocations (expires_at)`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`DROP TABLE revocations`.execute(db)
}
