import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { PoolUse } from '../observability/gauges.ts'
import { type Connection, createConnection, onPool, type TimeOffset } from './postgres/database.ts'
import { type Embedded, openEmbedded } from './postgres/embedded.ts'
import { loadEmbeddedKeys } from './postgres/embedded-key.ts'
import { ensureSchema, type SchemaStatus, schemaStatus } from './postgres/migrator.ts'
import { openPool, useOf } from './postgres/pool.ts'
import type { Database } from './postgres/schema.ts'

/** The open database with its schema up to date, and the keys that open what is sealed in it. */
export type Storage = {
  readonly connection: Connection
  readonly keyEncryptionKeys: readonly Buffer[]
  readonly mode: 'embedded' | 'server'
  readSchemaStatus(): Promise<SchemaStatus>
  /** undefined in the embedded mode. */
  poolUse(): PoolUse | undefined
  /** Settles when the embedded database cannot go on; a server's is a matter of the server. */
  readonly panic?: Promise<Error>
  close(): Promise<void>
}

export type StorageOptions = {
  /** Moves the database's time; for tests. */
  readonly timeOffset?: TimeOffset
  /** An embedded database that is open already, in place of the one in DATA_DIR. */
  readonly embedded?: Embedded
  /** How long another process may keep DATA_DIR before this one is refused. */
  readonly lockWaitMs?: number
}

/**
 * Opens PostgreSQL where `databaseUrl` names one, else the embedded database.
 * @throws {SchemaError | DataFolderError | Unavailable} each with a sentence that says what to do.
 */
export const openStorage = (
  config: Config,
  logger: Logger,
  options: StorageOptions = {},
): Promise<Storage> =>
  config.databaseUrl === undefined
    ? openEmbeddedStorage(config, options)
    : openServerStorage(config, config.databaseUrl, logger, options)

const openServerStorage = async (
  config: Config,
  url: string,
  logger: Logger,
  { timeOffset }: StorageOptions,
): Promise<Storage> => {
  const directUrl = config.databaseDirectUrl ?? url
  await ensureSchema(directUrl, config.migrateOnStart)
  const pool = {
    size: config.databasePoolSize,
    connectTimeoutMs: config.databaseConnectTimeoutMs,
    statementTimeoutMs: config.databaseStatementTimeoutMs,
    lockTimeoutMs: config.databaseLockTimeoutMs,
  }
  const connections = await openPool(url, pool, (error) =>
    logger.warn({ err: error }, 'an idle database connection broke; it is replaced'),
  )
  const db = onPool(connections)
  const keyEncryptionKeys = await readKeys(config, db).catch(async (error: unknown) => {
    await db.destroy()
    throw error
  })
  return {
    connection: createConnection(db, timeOffset),
    keyEncryptionKeys,
    mode: 'server',
    readSchemaStatus: () => schemaStatus(directUrl),
    poolUse: () => useOf(connections),
    close: () => db.destroy(),
  }
}

const openEmbeddedStorage = async (
  config: Config,
  { timeOffset, embedded, lockWaitMs }: StorageOptions,
): Promise<Storage> => {
  const { db, close, panic } = embedded ?? (await openEmbedded(config.dataDir, lockWaitMs))
  try {
    await ensureSchema(db, config.migrateOnStart)
    return {
      connection: createConnection(db, timeOffset),
      keyEncryptionKeys: await readKeys(config, db),
      mode: 'embedded',
      readSchemaStatus: () => schemaStatus(db),
      poolUse: () => undefined,
      panic,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

const readKeys = async (config: Config, db: Kysely<Database>): Promise<readonly Buffer[]> =>
  config.keyEncryptionKeys.length > 0
    ? config.keyEncryptionKeys
    : loadEmbeddedKeys(db, config.dataDir)
