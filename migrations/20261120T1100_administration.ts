import { type Kysely, sql } from 'kysely'

// `must_change_epoch` names the credential epoch whose password must be changed before anything
// else: whatever changes the password, of this release or the one before, ends that by itself.
// `password_expires_at` counts only as long as it must be changed.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    ALTER TABLE users
      ADD COLUMN must_change_epoch bigint,
      ADD COLUMN password_expires_at timestamptz,
      ADD COLUMN deleted_at timestamptz,
      DROP CONSTRAINT users_status_check,
      ADD CONSTRAINT users_status_check
        CHECK (status IN ('active', 'disabled', 'deleted'))`.execute(db)
  await sql`CREATE INDEX users_deleted_at ON users (deleted_at) WHERE deleted_at IS NOT NULL`.execute(
    db,
  )
  await sql`CREATE INDEX users_roles ON users USING gin (roles)`.execute(db)
  await sql`CREATE INDEX users_email_prefix ON users (email_key text_pattern_ops)`.execute(db)
  await sql`CREATE INDEX users_username_prefix ON users (username_key text_pattern_ops)`.execute(db)
  await sql`CREATE INDEX users_name_prefix ON users (lower(name) text_pattern_ops)`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`UPDATE users SET status = 'disabled' WHERE status = 'deleted'`.execute(db)
  for (const index of ['roles', 'email_prefix', 'username_prefix', 'name_prefix']) {
    await sql`DROP INDEX ${sql.id(`users_${index}`)}`.execute(db)
  }
  await sql`
    ALTER TABLE users
      DROP COLUMN must_change_epoch,
      DROP COLUMN password_expires_at,
      DROP COLUMN deleted_at,
      DROP CONSTRAINT users_status_check,
      ADD CONSTRAINT users_status_check CHECK (status IN ('active', 'disabled'))`.execute(db)
}
