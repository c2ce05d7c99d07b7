import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { sql, type Transaction } from 'kysely'
import { FileMigrationProvider, type MigrationResultSet, Migrator } from 'kysely/migration'
import type { Executor } from './database.ts'
import { exclusively, type MigrationTarget, withTarget } from './migration-session.ts'
import type { Database } from './schema.ts'
import {
  compareSchema,
  refusals,
  SchemaError,
  type SchemaFacts,
  type SchemaState,
} from './schema-state.ts'

/** Where the schema stands, and what was or would be done; names of migrations in their order. */
export type SchemaStatus = {
  readonly state: SchemaState
  readonly applied: readonly string[]
  readonly pending: readonly string[]
}

// From src/ and from dist/src/ alike, the migrations lie three folders up.
const migrationFolder = fileURLToPath(new URL('../../../migrations/', import.meta.url))

const provider = new FileMigrationProvider({
  fs: { readdir },
  path: { join },
  migrationFolder,
  import: (path) => import(pathToFileURL(path).href),
})

const exists = async (db: Executor, table: string): Promise<boolean> => {
  const { rows } = await sql<{ found: boolean }>`
    SELECT to_regclass(${table}) IS NOT NULL AS found`.execute(db)
  return rows[0]?.found === true
}

const readFacts = async (db: Executor): Promise<SchemaFacts> => {
  const known = Object.keys(await provider.getMigrations()).sort()
  if (!(await exists(db, 'kysely_migration'))) return { applied: [], known, release: 0 }
  const { rows } = await sql<{ name: string }>`SELECT name FROM kysely_migration`.execute(db)
  const applied = rows.map(({ name }) => name).sort()
  if (!(await exists(db, 'schema_releases'))) return { applied, known, release: 0 }
  const releases = await sql<{ release: number }>`
    SELECT coalesce(max(release), 0)::integer AS release FROM schema_releases`.execute(db)
  return { applied, known, release: releases.rows[0]?.release ?? 0 }
}

const readStatus = async (db: Executor): Promise<SchemaStatus> => {
  const facts = await readFacts(db)
  const { applied, known } = facts
  const pending = known.filter((name) => !applied.includes(name))
  return { state: compareSchema(facts), applied, pending }
}

const createMigrator = async (trx: Transaction<Database>): Promise<Migrator> => {
  const { rows } = await sql<{ name: string | null }>`SELECT current_schema() AS name`.execute(trx)
  const schema = rows[0]?.name
  // Named, because Kysely otherwise takes the tables of any other schema for its own.
  return new Migrator({ db: trx, provider, ...(schema ? { migrationTableSchema: schema } : {}) })
}

const ranOrThrow = ({ error, results = [] }: MigrationResultSet): string[] => {
  if (error !== undefined) {
    const failed = results.find(({ status }) => status === 'Error')?.migrationName ?? 'as a whole'
    const reason = error instanceof Error ? error.message : String(error)
    throw new SchemaError(`The migration ${failed} failed: ${reason}`, { cause: error })
  }
  return results.map(({ migrationName }) => migrationName)
}

const refuse = (state: SchemaState): void => {
  if (state === 'too_new' || state === 'foreign') throw new SchemaError(refusals[state])
}

/**
 * Applies what is pending. Many nodes at once: one does it, the others wait and find it done. All of
 * it happens in one transaction, so that it works through a transaction-mode pooler too.
 * @param target a direct connection where there is one (DATABASE_DIRECT_URL).
 * @param patienceMs for how long it tries again while requests or a backup hold the tables.
 * @returns the names of the migrations that were applied.
 * @throws {SchemaError} when the schema is too new, a migration fails or the tables stay in use;
 *   nothing is changed then.
 * @throws {Unavailable} when the server does not answer.
 */
export const migrateToLatest = (target: MigrationTarget, patienceMs?: number): Promise<string[]> =>
  withTarget(target, (db) =>
    exclusively(
      db,
      async (trx) => {
        const { state } = await readStatus(trx)
        refuse(state)
        if (state !== 'behind') return []
        return ranOrThrow(await (await createMigrator(trx)).migrateToLatest())
      },
      patienceMs,
    ),
  )

/**
 * Undoes the latest migration, and with it the data that it made room for.
 * @returns its name, or nothing when there is none left.
 * @throws {SchemaError} when the schema is newer than this code; nothing is changed then.
 */
export const undoLatest = (target: MigrationTarget): Promise<string[]> =>
  withTarget(target, (db) =>
    exclusively(db, async (trx) => {
      const { state } = await readStatus(trx)
      if (state === 'newer') throw new SchemaError(refusals.newer)
      refuse(state)
      return ranOrThrow(await (await createMigrator(trx)).migrateDown())
    }),
  )

/** Reads where the schema stands; changes nothing. */
export const schemaStatus = (target: MigrationTarget): Promise<SchemaStatus> =>
  withTarget(target, readStatus)

/**
 * Makes sure at start that this code can work with the schema: applies what is pending when
 * `migrateOnStart`, leaves a schema that is newer within one release alone.
 * @throws {SchemaError} when it is behind and may not be migrated, or is too new.
 */
export const ensureSchema = async (
  target: MigrationTarget,
  migrateOnStart: boolean,
): Promise<void> => {
  const { state } = await schemaStatus(target)
  refuse(state)
  if (state !== 'behind') return
  if (!migrateOnStart) throw new SchemaError(refusals.behind)
  await migrateToLatest(target)
}
