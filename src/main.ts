import cluster from 'node:cluster'
import { readFileSync } from 'node:fs'
import { loadConfig } from './config.ts'
import { withFreePort } from './main/free-port.ts'
import { describeStartFailure } from './main/start-failure.ts'
import { createLogger } from './plugins/logger.ts'

/** The process: reads the environment, then serves, or watches over workers that do. */
const main = async (): Promise<void> => {
  const variables = await withFreePort(process.env)
  const config = loadConfig(variables, (path) => readFileSync(path, 'utf8'))
  const logger = createLogger(config.logLevel)
  // Each loads only what it needs: the primary stays small.
  if (config.workers > 1 && cluster.isPrimary) {
    const { supervise } = await import('./main/supervise.ts')
    return supervise(config, logger, variables)
  }
  const { serve } = await import('./main/serve.ts')
  const id = cluster.worker?.id
  await serve(config, id === undefined ? logger : logger.child({ worker: id, pid: process.pid }))
}

const reportFailure = (error: unknown): void => {
  const reasons = describeStartFailure(error)
  if (reasons === undefined) createLogger('fatal').fatal({ err: error }, 'the service cannot start')
  const lines = (reasons ?? ['Something unexpected went wrong: see the line of the log']).map(
    (reason) => `  - ${reason}\n`,
  )
  process.stderr.write(`Tessera cannot start:\n${lines.join('')}`)
  process.exit(1)
}

await main().catch(reportFailure)
