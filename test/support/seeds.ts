import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { SqlBackend } from './sql-backends.ts'

/** A user of whom only the row counts. @returns the id */
export const seedUser = async (
  { db }: Pick<SqlBackend, 'db'>,
  roles: string[] = ['user'],
): Promise<string> => {
  const id = randomUUID()
  const email = `${id}@example.com`
  await db.insertInto('users').values({ id, email, email_key: email, roles }).execute()
  return id
}

/** A public client, unless there is one of this id. */
export const seedClient = async ({ db }: Pick<SqlBackend, 'db'>, id: string): Promise<void> => {
  await sql`INSERT INTO clients (id, name, authentication_method, grant_types, scope, audience,
      resource_server, redirect_uris)
    VALUES (${id}, 'App', 'none', '{}', '{}', '{}', '{}', '{}')
    ON CONFLICT DO NOTHING`.execute(db)
}
