import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { type Kysely, sql } from 'kysely'
import { DataFolderError } from './data-folder.ts'
import type { Database } from './schema.ts'

/**
 * Where the service keeps the key-encryption key that it makes when none is configured: for the
 * default data folder in `keys/` beside it, so that the key is not in a copy of the data; for any
 * other folder in its own `keys/`, so that two of them never share a key, and whoever names the
 * folder by its whole path finds the key from everywhere.
 */
export const embeddedKeyFile = (dataDir: string): string => {
  const isDefault = normalize(`${dataDir}/`) === normalize('data/')
  return join(isDefault ? 'keys' : join(dataDir, 'keys'), 'key-encryption-key')
}

/**
 * The key-encryption keys of a service that none is configured for, newest first. The first one is
 * made (mode 0600) when the database seals nothing yet; nodes that start at once in one folder get
 * the same one. Called once the schema is up to date.
 * @throws {DataFolderError} when the file cannot be read or holds no key, or is missing although
 *   the database has keys that only it could open.
 */
export const loadEmbeddedKeys = async (
  db: Kysely<Database>,
  dataDir: string,
): Promise<readonly Buffer[]> => {
  const path = embeddedKeyFile(dataDir)
  const found = readKeyFile(path)
  if (found !== undefined) return parseKeys(path, found)
  if (await hasSealedKeys(db)) {
    throw new DataFolderError(
      `The key-encryption key ${path} is missing, and a new one cannot open the keys in the database: put the file back, set KEY_ENCRYPTION_KEY to what it held, or start with an empty database`,
    )
  }
  makeKeyFile(path)
  return parseKeys(path, readKeyFile(path) ?? '')
}

/** 32 bytes in base64. */
const keyForm = /^[A-Za-z0-9+/]{43}=?$/

const readKeyFile = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new DataFolderError(
      `The key-encryption key ${path} cannot be read: give this user the right to, or set KEY_ENCRYPTION_KEY`,
      { cause: error },
    )
  }
}

const parseKeys = (path: string, text: string): readonly Buffer[] => {
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
  if (words.length === 0 || !words.every((word) => keyForm.test(word))) {
    throw new DataFolderError(
      `The file ${path} holds no key-encryption key: it must hold 32 bytes in base64, several separated by commas`,
    )
  }
  return words.map((word) => Buffer.from(word, 'base64'))
}

const hasSealedKeys = async (db: Kysely<Database>): Promise<boolean> => {
  const { rows } = await sql<{ found: boolean }>`
    SELECT exists(SELECT FROM signing_keys) OR exists(SELECT FROM mac_keys) AS found`.execute(db)
  return rows[0]?.found === true
}

const makeKeyFile = (path: string): void => {
  const own = `${path}.${randomBytes(8).toString('hex')}`
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(own, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flush: true })
    publishKeyFile(own, path)
  } catch (error) {
    throw new DataFolderError(
      `The key-encryption key ${path} cannot be written: give this user the right to, or set KEY_ENCRYPTION_KEY`,
      { cause: error },
    )
  } finally {
    rmSync(own, { force: true })
  }
}

// A link appears whole or not at all, and never in the place of a key that another node has made.
const publishKeyFile = (own: string, path: string): void => {
  try {
    linkSync(own, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
