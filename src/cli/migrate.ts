import type { Config } from '../config.ts'
import { openEmbedded } from '../stores/postgres/embedded.ts'
import type { MigrationTarget } from '../stores/postgres/migration-session.ts'
import {
  migrateToLatest,
  type SchemaStatus,
  schemaStatus,
  undoLatest,
} from '../stores/postgres/migrator.ts'
import { askServerOr } from './ask-server.ts'
import { CliError } from './cli-error.ts'
import { type CommandContext, type PrintOptions, printResult } from './command-context.ts'
import { toCliError } from './local-error.ts'
import type { LocalResponse } from './local-message.ts'

export type MigrateOptions = PrintOptions & { readonly status?: boolean; readonly undo?: boolean }

/** Migrates, or says where the schema stands: of a database, or of the embedded mode's data. */
export const migrate = async (
  context: CommandContext,
  options: MigrateOptions,
  config: Config,
): Promise<void> => {
  const { databaseUrl, databaseDirectUrl = databaseUrl, dataDir } = config
  if (databaseDirectUrl !== undefined) return onTarget(context, options, databaseDirectUrl)
  const response = await askServerOr(dataDir, statusRequest, async () => {
    const { db, close } = await openEmbedded(dataDir, 0)
    await onTarget(context, options, db).finally(close)
  })
  if (response) onServer(context, options, response)
}

const statusRequest = { operation: 'schema.status', input: {} } as const

const onTarget = async (
  context: CommandContext,
  options: MigrateOptions,
  target: MigrationTarget,
): Promise<void> => {
  if (options.status) return printStatus(context, options, await schemaStatus(target))
  if (options.undo) return printNames(context, options, 'undone', await undoLatest(target))
  printNames(context, options, 'applied', await migrateToLatest(target))
}

// The server has migrated when it started, and its schema must not vanish under it.
const onServer = (
  context: CommandContext,
  options: MigrateOptions,
  response: LocalResponse,
): void => {
  if (!response.ok) throw toCliError(response.error)
  if (options.undo) throw new CliError('The server works with this schema: stop it first')
  if (options.status) printStatus(context, options, response.result as SchemaStatus)
  else printNames(context, options, 'applied', [])
}

const printStatus = (
  context: CommandContext,
  options: MigrateOptions,
  status: SchemaStatus,
): void => {
  const text = [
    `State: ${status.state}`,
    ...status.applied.map((name) => `  applied  ${name}`),
    ...status.pending.map((name) => `  pending  ${name}`),
  ]
  printResult(context, options, status, text.join('\n'))
}

const printNames = (
  context: CommandContext,
  options: MigrateOptions,
  what: 'applied' | 'undone',
  names: readonly string[],
): void => {
  const text = names.map((name) => `${what}  ${name}`).join('\n')
  const nothing =
    what === 'applied' ? 'Nothing to do: the schema is up to date' : 'There is nothing to undo'
  printResult(context, options, { [what]: names }, text || nothing)
}
