import { type Kysely, sql } from 'kysely'

// `drop_after`: when no refresh token that the key made can be good any more.
// `objected_at`: when a node last said that it cannot open the key, so that it must not sign yet.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`ALTER TABLE mac_keys ADD COLUMN drop_after timestamptz`.execute(db)
  await sql`ALTER TABLE signing_keys ADD COLUMN objected_at timestamptz`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`ALTER TABLE signing_keys DROP COLUMN objected_at`.execute(db)
  await sql`ALTER TABLE mac_keys DROP COLUMN drop_after`.execute(db)
}
