import { type Config, ConfigError } from '../../config.ts'
import { CliError } from '../cli-error.ts'
import { type CommandContext, type PrintOptions, printResult } from '../command-context.ts'
import { examineDatabase } from './database.ts'
import { examineEmbedded } from './embedded.ts'
import { type Finding, failed, fine } from './finding.ts'
import { examineIssuer } from './issuer.ts'
import { examineRedis } from './redis.ts'

/**
 * Looks at everything that the service needs, changes nothing, and says what is wrong.
 * @throws {CliError} when a check has failed.
 */
export const doctor = async (
  context: CommandContext,
  options: PrintOptions,
  readConfig: () => Config,
): Promise<void> => {
  const findings = await examineAll(readConfig)
  const faults = findings.filter(({ status }) => status === 'failed').length
  printResult(context, options, { healthy: faults === 0, findings }, describe(findings))
  if (faults > 0) throw new CliError(`${faults} of ${findings.length} checks failed`)
}

const examineAll = async (readConfig: () => Config): Promise<Finding[]> => {
  const config = readOrFind(readConfig)
  if (Array.isArray(config)) return config
  const [database, redis, issuer] = await Promise.all([
    config.databaseUrl === undefined
      ? examineEmbedded(config)
      : examineDatabase(config, config.databaseUrl),
    examineRedis(config),
    examineIssuer(config.issuer),
  ])
  return [fine('configuration', 'All variables can be used'), ...database, ...redis, issuer]
}

const readOrFind = (readConfig: () => Config): Config | Finding[] => {
  try {
    return readConfig()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const advice = 'Correct the variable; the table in the README says what each one takes'
    return error.problems.map((problem) => failed('configuration', problem, advice))
  }
}

const marks = { ok: 'ok      ', warning: 'warning ', failed: 'FAILED  ' } as const

const describe = (findings: readonly Finding[]): string =>
  findings
    .flatMap(({ check, status, message, advice }) => [
      `${marks[status]}${check}: ${message}`,
      ...(advice === undefined ? [] : [`          → ${advice}`]),
    ])
    .join('\n')
