/**
 * The release of the schema that this code is written for: the highest number that `migrations/`
 * insert into `schema_releases`. A test keeps the two in step.
 */
export const schemaRelease = 3

/** What a database says about its schema, beside what this code brings. */
export type SchemaFacts = {
  /** Names of the migrations that were applied, in any order. */
  readonly applied: readonly string[]
  /** Names of the migrations that this code brings. */
  readonly known: readonly string[]
  /** Highest release in the database; 0 when it has none. */
  readonly release: number
}

/**
 * - `current`: nothing to do
 * - `behind`: migrations of this code are missing there
 * - `newer`: one release ahead, which this code still works with (expand, migrate, contract)
 * - `too_new`: further ahead than that
 * - `foreign`: it holds migrations that this code does not know without being a release ahead, or is
 *   ahead and yet lacks some of this code's: it belongs to another line of development
 */
export type SchemaState = 'current' | 'behind' | 'newer' | 'too_new' | 'foreign'

/** Compares a database's schema with the release that this code is written for. */
export const compareSchema = (
  { applied, known, release }: SchemaFacts,
  codeRelease: number = schemaRelease,
): SchemaState => {
  if (release > codeRelease + 1) return 'too_new'
  const missing = known.some((name) => !applied.includes(name))
  const unknown = applied.some((name) => !known.includes(name))
  if (release === codeRelease + 1) return missing ? 'foreign' : 'newer'
  if (unknown) return 'foreign'
  return missing ? 'behind' : 'current'
}

/** The schema cannot be used as it is; the message says what to do. */
export class SchemaError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'SchemaError'
  }
}

/** What to say about a schema that this code refuses to work with or to migrate. */
export const refusals = {
  newer:
    'The schema of the database is newer than this version of Tessera: undo it with the version that made it',
  behind:
    'The schema of the database is older than this version of Tessera: run `tessera migrate`, or start with MIGRATE_ON_START=true',
  too_new:
    'The schema of the database is more than one release newer than this version of Tessera: start a newer version',
  foreign:
    'The schema of the database holds migrations that this version of Tessera does not know: start the version that made them, or give this one another database',
} as const satisfies Partial<Record<SchemaState, string>>
