import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { Kysely, PostgresDialect } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import pg from 'pg'

const folder = new URL('../../migrations/', import.meta.url)

/** SHA-256 of every migration by its name, in base64url. */
export const migrationDigests = (): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((file) => [
        file.replace(/\.ts$/, ''),
        createHash('sha256')
          .update(readFileSync(new URL(file, folder)))
          .digest('base64url'),
      ]),
  )

/** Gives an empty database the schema that these migrations make, as an earlier release would. */
export const migrateTo = async (url: string, names: readonly string[]): Promise<void> => {
  const db = new Kysely<unknown>({
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: 1 }) }),
  })
  const load = async (name: string) =>
    [name, (await import(new URL(`${name}.ts`, folder).href)) as Migration] as const
  const migrations = Object.fromEntries(await Promise.all(names.map(load)))
  const provider = { getMigrations: async () => migrations }
  const { error } = await new Migrator({ db, provider }).migrateToLatest()
  await db.destroy()
  if (error !== undefined) throw error
}
