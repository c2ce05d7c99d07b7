import type { Kysely } from 'kysely'
import type { Config } from '../../config.ts'
import { connectPostgres, createConnection } from '../../stores/postgres/database.ts'
import { schemaStatus } from '../../stores/postgres/migrator.ts'
import type { Database } from '../../stores/postgres/schema.ts'
import { examineAudiences } from './audiences.ts'
import { type Finding, failed, reasonOf } from './finding.ts'
import { examineKeys } from './keys.ts'
import { examineSchema } from './schema.ts'
import { examineServer } from './server.ts'

/** Looks at PostgreSQL and at what is in it; changes nothing. */
export const examineDatabase = async (config: Config, url: string): Promise<Finding[]> => {
  const { usable, findings } = await examineServer(url, config)
  if (!usable) return findings
  const direct = config.databaseDirectUrl
  return [
    ...findings,
    ...(direct === undefined ? [] : await examineDirect(config, direct)),
    ...(await examineContents(config, url)),
  ]
}

const examineDirect = async (config: Config, url: string): Promise<Finding[]> => {
  const { usable, findings } = await examineServer(url, config)
  const isDirect = usable && !findings.some(({ check }) => check === 'pooler')
  if (isDirect) return []
  return [
    failed(
      'direct connection',
      usable
        ? 'DATABASE_DIRECT_URL goes through a pooler'
        : `DATABASE_DIRECT_URL cannot be used: ${findings[0]?.message}`,
      'Let it name the server itself: migrations run there',
    ),
  ]
}

const examineContents = async (config: Config, url: string): Promise<Finding[]> => {
  const pool = {
    size: 1,
    connectTimeoutMs: config.databaseConnectTimeoutMs,
    statementTimeoutMs: config.databaseStatementTimeoutMs,
    lockTimeoutMs: config.databaseLockTimeoutMs,
  }
  try {
    const db = await connectPostgres(url, pool, () => {})
    return await examineDatabaseContents(config, db).finally(() => db.destroy())
  } catch (error) {
    return [unreadable(error)]
  }
}

/** The schema, and keys and audiences when it has a place for them. */
export const examineDatabaseContents = async (
  config: Config,
  db: Kysely<Database>,
): Promise<Finding[]> => {
  const status = await schemaStatus(db)
  const schema = examineSchema(status, config.migrateOnStart)
  if (status.state !== 'current' && status.state !== 'newer') return [schema]
  const connection = createConnection(db)
  return [
    schema,
    ...(await examineKeys(config, connection)),
    ...(await examineAudiences(config, connection)),
  ]
}

const unreadable = (error: unknown): Finding =>
  failed(
    'database contents',
    `The tables cannot be read: ${reasonOf(error)}`,
    'Give the role of DATABASE_URL the right to use the schema and its tables',
  )
