import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type Kysely, sql } from 'kysely'
import { DataFolderError } from './data-folder.ts'
import type { Database } from './schema.ts'

/**
 * Where the embedded mode keeps its key-encryption key: for the default data folder in `keys/`
 * beside it, so that the key is not in a copy of the data; for any other folder in its own `keys/`,
 * so that two of them never share a key.
 */
export const embeddedKeyFile = (dataDir: string): string => {
  const folder = resolve(dataDir) === resolve('data') ? 'keys' : join(dataDir, 'keys')
  return join(folder, 'key-encryption-key')
}

/**
 * The embedded mode's key-encryption keys, newest first; the first one is made (mode 0600) when the
 * database seals nothing yet. Called once the schema is up to date and while the data folder's lock
 * is held.
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
      `The key-encryption key ${path} is missing, and a new one cannot open the keys in ${dataDir}: put the old file back, or move ${dataDir} away to start anew`,
    )
  }
  return [makeKeyFile(path)]
}

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
  if (words.length === 0 || !words.every((word) => /^[A-Za-z0-9+/]{43}=?$/.test(word))) {
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

const makeKeyFile = (path: string): Buffer => {
  const key = randomBytes(32)
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    // Whole or not at all: half a key would be taken for a broken one at the next start.
    const unfinished = `${path}.unfinished`
    rmSync(unfinished, { force: true })
    writeFileSync(unfinished, `${key.toString('base64')}\n`, {
      mode: 0o600,
      flag: 'wx',
      flush: true,
    })
    renameSync(unfinished, path)
  } catch (error) {
    throw new DataFolderError(
      `The key-encryption key ${path} cannot be written: give this user the right to, or set KEY_ENCRYPTION_KEY`,
      { cause: error },
    )
  }
  return key
}
