/**
 * Writes the transcript of this release beside this file: run it when the release is made, and never
 * again. It needs an empty database and makes everything in it.
 *
 *   DATABASE_URL=… sh ./bootstrap.sh test/releases/record.ts
 */
import { buildApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { createDeps } from '../../src/deps.ts'
import { createLogger } from '../../src/plugins/logger.ts'
import { connectPostgres, createConnection } from '../../src/stores/postgres/database.ts'
import { migrateToLatest } from '../../src/stores/postgres/migrator.ts'
import { schemaRelease } from '../../src/stores/postgres/schema-state.ts'
import { createStores } from '../../src/stores/postgres/stores.ts'
import { testEnvironment } from '../support/service.ts'
import { travel, visitStores } from './journey.ts'
import { migrationDigests } from './schema.ts'
import { record, writeTranscript } from './transcript.ts'

const { DATABASE_URL: databaseUrl } = process.env
if (databaseUrl === undefined) throw new Error('Set DATABASE_URL to an empty database')

await migrateToLatest(databaseUrl)
let outcome: Record<string, string> = {}
const statements = await record(async () => {
  const environment = { ...testEnvironment, DATABASE_URL: databaseUrl, DATABASE_POOL_SIZE: '1' }
  const deps = await createDeps(
    loadConfig(environment, () => ''),
    createLogger('warn'),
  )
  await deps.beginService()
  const app = await buildApp(deps)
  outcome = await travel(app, deps)
  await app.close()
  await deps.close()
  const pool = { size: 1, connectTimeoutMs: 3000, statementTimeoutMs: 5000, lockTimeoutMs: 1000 }
  const db = await connectPostgres(databaseUrl, pool, () => {})
  await visitStores(createStores(createConnection(db), () => 3600, 365))
  await db.destroy()
})
// Which months get a partition of their own is the calendar's business, not the schema's.
const lasting = statements.filter(({ text }) => !text.includes('audit_events_'))
const migrations = migrationDigests()
writeTranscript({ release: schemaRelease, migrations, outcome, statements: lasting })
