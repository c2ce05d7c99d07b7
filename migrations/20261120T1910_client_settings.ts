import { type Kysely, sql } from 'kysely'

// What is decided for each client by itself; a member that is absent has its default. Which methods
// of authentication there are is for the code to say: it grows with them.
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await sql`
    ALTER TABLE clients
      ADD COLUMN settings jsonb NOT NULL DEFAULT '{}',
      DROP CONSTRAINT clients_authentication_method_check`.execute(db)
}

export const down = async (db: Kysely<unknown>): Promise<void> => {
  // The release before cannot let in who authenticates by what it does not know.
  await sql`
    UPDATE clients
    SET authentication_method = 'client_secret_basic', disabled_at = coalesce(disabled_at, now())
    WHERE authentication_method NOT IN ('none', 'client_secret_basic', 'client_secret_post')
  `.execute(db)
  await sql`
    ALTER TABLE clients
      DROP COLUMN settings,
      ADD CONSTRAINT clients_authentication_method_check
        CHECK (authentication_method IN ('none', 'client_secret_basic', 'client_secret_post'))
  `.execute(db)
}
