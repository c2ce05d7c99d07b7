import { pino } from 'pino'
import type { Config } from '../config.ts'
import { createDeps } from '../deps.ts'
import { createLogger } from '../plugins/logger.ts'
import type { LocalRequest, LocalResponse } from './local-message.ts'
import { performOperation } from './operations/perform.ts'

/**
 * Opens the data, does what a request asks for, and closes them again.
 * @throws what createDeps throws; of the operation itself nothing.
 */
export const runHere = async (config: Config, request: LocalRequest): Promise<LocalResponse> => {
  // Not waiting for the data folder: whoever has it may serve the command by then.
  const logger = createCliLogger(config)
  const deps = await createDeps(config, logger, { lockWaitMs: 0 })
  try {
    return await performOperation(deps, request)
  } finally {
    await deps.auditWriter.close()
    // What is still being read for nodes that live longer breaks off now, and that is no news.
    logger.level = 'silent'
    await deps.close()
  }
}

// Standard output is for the answer. What the service tells by default would only be noise there.
const createCliLogger = ({ logLevel }: Config) =>
  createLogger(logLevel === 'info' ? 'warn' : logLevel, pino.destination({ dest: 2, sync: true }))
