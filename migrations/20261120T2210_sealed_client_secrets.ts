import { type Kysely, sql } from 'kysely'

// Of clients that make signatures with their secret the service must know it: sealed under the
// key-encryption key, beside the digest that all others have alone.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`ALTER TABLE client_secrets ADD COLUMN sealed_secret bytea`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  await sql`ALTER TABLE client_secrets DROP COLUMN sealed_secret`.execute(db)
}
