import type { Command } from 'commander'
import type { Config } from '../../config.ts'
import {
  addCommand,
  addExamples,
  type CommandContext,
  type PrintOptions,
} from '../command-context.ts'

/** `doctor` looks past the service at what that needs: it must work when the service does not. */
export const addDoctorCommand = (
  program: Command,
  context: CommandContext,
  readConfig: () => Config,
): void => {
  const command = addCommand(
    program,
    'doctor',
    'Check configuration, database, migrations, keys, clock and Redis, and say what is wrong',
  ).action(async (options: PrintOptions) => {
    const { doctor } = await import('../doctor/doctor.ts')
    await doctor(context, options, readConfig)
  })
  addExamples(command, ['tessera doctor', 'tessera doctor --json'])
}
