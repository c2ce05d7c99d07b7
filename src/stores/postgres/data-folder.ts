import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'

/** The data folder cannot be used; the message says what to do. */
export class DataFolderError extends Error {
  /** Another process has it; all else will not mend itself. */
  readonly inUse: boolean

  constructor(
    message: string,
    { inUse = false, cause }: { inUse?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause })
    this.name = 'DataFolderError'
    this.inUse = inUse
  }
}

const sqliteBusy = 5
const pollMs = 50

const makeFolder = (path: string): void => {
  // Only a new folder gets the mode: one that was there may be shared on purpose.
  mkdirSync(path, { recursive: true, mode: 0o700 })
}

/**
 * Takes a data folder for this process alone, by an operating-system lock that ends with the process
 * however it ends. PGlite itself lets two processes open one folder and destroy each other's rows.
 * @param dataDir made, with mode 0700, when it is missing.
 * @param waitMs how long another process may keep it: one that ends, or a command of a moment.
 * @returns a function that gives the folder back.
 * @throws {DataFolderError} when another process has it, or it cannot be written.
 */
export const lockDataFolder = async (dataDir: string, waitMs: number): Promise<() => void> => {
  const deadline = performance.now() + waitMs
  for (;;) {
    try {
      return tryLock(dataDir)
    } catch (error) {
      const failure = asDataFolderError(dataDir, error)
      if (!failure.inUse || performance.now() >= deadline) throw failure
    }
    await delay(pollMs)
  }
}

const tryLock = (dataDir: string): (() => void) => {
  makeFolder(dataDir)
  const path = join(dataDir, 'lock')
  closeSync(openSync(path, 'a', 0o600))
  return takeLock(path)
}

// A handle that nobody refers to is closed when memory is collected, and its lock with it.
const held = new Set<DatabaseSync>()

// SQLite takes and checks the lock on every system that Node.js runs on, which Node.js itself cannot.
const takeLock = (path: string): (() => void) => {
  const lock = new DatabaseSync(path)
  try {
    // The journal in memory: no second file. The lock, once taken, stays until the handle is closed.
    lock.exec(
      'PRAGMA journal_mode = memory; PRAGMA locking_mode = exclusive; BEGIN EXCLUSIVE; COMMIT',
    )
  } catch (error) {
    lock.close()
    throw error
  }
  held.add(lock)
  return () => {
    if (held.delete(lock)) lock.close()
  }
}

const asDataFolderError = (dataDir: string, error: unknown): DataFolderError => {
  const inUse = (error as { errcode?: unknown }).errcode === sqliteBusy
  const sentence = inUse
    ? `The data folder ${dataDir} is in use by another process of Tessera: stop that one, or set DATA_DIR to another folder`
    : `The data folder ${dataDir} cannot be used: ${error instanceof Error ? error.message : String(error)}`
  return new DataFolderError(sentence, { inUse, cause: error })
}

/** Lets nobody but the owner into a folder, whose files PGlite makes readable for all. */
export const closeToOthers = (path: string): void => chmodSync(path, 0o700)
