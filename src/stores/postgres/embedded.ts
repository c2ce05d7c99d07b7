import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite, type PGliteOptions, types } from '@electric-sql/pglite'
import type { Kysely } from 'kysely'
import { closeToOthers, DataFolderError, lockDataFolder } from './data-folder.ts'
import { wrapPGlite } from './database.ts'
import { EndingPGlite } from './embedded-panic.ts'
import type { Database } from './schema.ts'

/** An open embedded database; `close` also gives its data folder back. */
export type Embedded = {
  readonly db: Kysely<Database>
  /** Settles when it cannot go on, and every statement fails from then on. */
  readonly panic: Promise<Error>
  readonly close: () => Promise<void>
}

// int8 as number, as in database.ts: versions, generations and counts stay far below 2^53.
const parsers = { [types.INT8]: Number }

// Time for a command to be done, or for a server to end that the new one replaces.
const defaultLockWaitMs = 5000

/**
 * Opens the embedded database, PostgreSQL inside this process, in `DATA_DIR/postgres`, and holds the
 * folder's lock until `close`. The first time makes a new database, which takes about two seconds.
 * The schema is not touched: see migrator.ts.
 * @param lockWaitMs how long another process may keep the folder before this one is refused.
 * @throws {DataFolderError} when another process has the folder, or it cannot be opened.
 */
export const openEmbedded = async (
  dataDir: string,
  lockWaitMs = defaultLockWaitMs,
): Promise<Embedded> => {
  const unlock = await lockDataFolder(dataDir, lockWaitMs)
  try {
    const folder = join(dataDir, 'postgres')
    if (!existsSync(folder)) await makeCluster(folder)
    return embed(await open({ dataDir: folder }), unlock)
  } catch (error) {
    unlock()
    throw new DataFolderError(
      `The embedded database in ${dataDir} cannot be opened: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    )
  }
}

/**
 * As `openEmbedded`, in memory, gone with `close`: for tests and for describing the API.
 * @param prepared a data folder to begin with, as PGlite's `dumpDataDir` gives it.
 */
export const openInMemory = async (prepared?: Blob): Promise<Embedded> =>
  embed(await open(prepared === undefined ? {} : { loadDataDir: prepared }), () => {})

const open = async (options: PGliteOptions): Promise<EndingPGlite> => {
  const pglite = new EndingPGlite({ ...options, parsers })
  await pglite.waitReady
  return pglite
}

// Made beside and moved, so that a process killed in the middle leaves nothing half made.
const makeCluster = async (folder: string): Promise<void> => {
  const unfinished = `${folder}.unfinished`
  rmSync(unfinished, { recursive: true, force: true })
  const pglite = await PGlite.create(unfinished)
  await pglite.close()
  closeToOthers(unfinished)
  renameSync(unfinished, folder)
}

const embed = (pglite: EndingPGlite, unlock: () => void): Embedded => {
  const db = wrapPGlite(pglite)
  return {
    db,
    panic: pglite.panic,
    close: async () => {
      try {
        await db.destroy()
        // Kysely closes PGlite only once it has been used.
        if (!pglite.closed) await pglite.close()
      } finally {
        unlock()
      }
    },
  }
}
