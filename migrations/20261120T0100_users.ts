import { type Kysely, sql } from 'kysely'

// `email_key` and `username_key` are folded by the service, so that what counts as the same name
// does not depend on the collation of a database.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    CREATE TABLE roles (
      name text PRIMARY KEY,
      permissions text[] NOT NULL
    )`.execute(db)
  await sql`INSERT INTO roles VALUES ('user', '{}'), ('admin', '{admin}')`.execute(db)
  await sql`
    CREATE TABLE users (
      id uuid PRIMARY KEY,
      email text NOT NULL,
      email_key text NOT NULL UNIQUE,
      username text,
      username_key text UNIQUE,
      name text,
      given_name text,
      family_name text,
      password_hash text,
      roles text[] NOT NULL,
      status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
      version bigint NOT NULL DEFAULT 1,
      credential_epoch bigint NOT NULL DEFAULT 1,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      last_login_at timestamptz
    )`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`DROP TABLE users`.execute(db)
  await sql`DROP TABLE roles`.execute(db)
}
