import { type Command, Option } from 'commander'
import type { Config } from '../../config.ts'
import { addExamples, type CommandContext } from '../command-context.ts'
import type { MigrateOptions } from '../migrate.ts'

/** `migrate` opens the database past everything else: the rest of the service needs its schema. */
export const addMigrateCommand = (
  program: Command,
  context: CommandContext,
  readConfig: () => Config,
): void => {
  const command = program
    .command('migrate')
    .description('Bring the schema of the database up to date')
    .option('--json', 'print JSON')
    .option('--status', 'only say where the schema stands')
    .addOption(
      new Option('--undo', 'undo the latest migration, and lose what it made room for').conflicts(
        'status',
      ),
    )
    .action(async (options: MigrateOptions) => {
      // Loaded when it is needed: no other command opens a database by itself.
      const { migrate } = await import('../migrate.ts')
      await migrate(context, options, readConfig())
    })
  addExamples(command, ['tessera migrate', 'tessera migrate --status --json'])
}
