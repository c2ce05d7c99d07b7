import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config.ts'
import { openEmbedded } from '../../stores/postgres/embedded.ts'
import type { SchemaStatus } from '../../stores/postgres/migrator.ts'
import { askServerOr } from '../ask-server.ts'
import { toCliError } from '../local-error.ts'
import type { LocalResponse } from '../local-message.ts'
import type { ResultOf } from '../operations/index.ts'
import { examineDatabaseContents } from './database.ts'
import { type Finding, failed, fine, reasonOf } from './finding.ts'
import { examineSchedule } from './keys.ts'
import { examineSchema } from './schema.ts'

/** Looks at the data of the embedded mode: through the server that runs on them, or itself. */
export const examineEmbedded = async (config: Config): Promise<Finding[]> => {
  const { dataDir } = config
  try {
    const request = { operation: 'schema.status', input: {} }
    const answer = await askServerOr(dataDir, request, () => examineHere(config))
    return 'ok' in answer ? await examineThere(config, answer) : answer
  } catch (error) {
    return [
      failed(
        'data folder',
        reasonOf(error),
        'Let DATA_DIR name a folder that belongs to this user and to no other process',
      ),
    ]
  }
}

const examineHere = async (config: Config): Promise<Finding[]> => {
  if (!existsSync(join(config.dataDir, 'postgres'))) {
    return [fine('data folder', `${config.dataDir} has no data yet: the first start makes them`)]
  }
  const { db, close } = await openEmbedded(config.dataDir, 0)
  const findings = await examineDatabaseContents(config, db).finally(close)
  return [fine('data folder', `No server runs on ${config.dataDir}; it can be opened`), ...findings]
}

// A server that runs has opened all its keys when it started.
const examineThere = async (config: Config, status: LocalResponse): Promise<Finding[]> => {
  const request = { operation: 'keys.list', input: {} }
  const keys = await askServerOr<never>(config.dataDir, request, () => {
    throw new Error('the server has ended meanwhile')
  })
  if (!status.ok) throw toCliError(status.error)
  if (!keys.ok) throw toCliError(keys.error)
  const listed = (keys.result as ResultOf<'keys.list'>).map((key) => ({
    algorithm: key.alg,
    state: key.state,
    signFrom: key.sign_from === null ? null : new Date(key.sign_from),
  }))
  return [
    fine('data folder', `A server runs on ${config.dataDir} and answers`),
    examineSchema(status.result as SchemaStatus, config.migrateOnStart),
    ...examineSchedule(listed, new Date(), config.keyRotationDays),
  ]
}
