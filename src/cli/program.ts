import { Command, CommanderError } from 'commander'
import type { Config } from '../config.ts'
import type { CliStreams, CommandContext } from './command-context.ts'
import { addAssertionIssuerCommands } from './commands/assertion-issuers.ts'
import { addAudienceCommands } from './commands/audiences.ts'
import { addClientCommands } from './commands/clients.ts'
import { addDetailsTypeCommands } from './commands/details-types.ts'
import { addDoctorCommand } from './commands/doctor.ts'
import { addFamilyCommands } from './commands/families.ts'
import { addKeyCommands } from './commands/keys.ts'
import { addMigrateCommand } from './commands/migrate.ts'
import { addRegistrationTokenCommands } from './commands/registration-tokens.ts'
import { addRoleCommands } from './commands/roles.ts'
import { addUserCommands } from './commands/users.ts'
import { createCall } from './execute.ts'
import { toLocalError } from './local-error.ts'

/** Exit codes: it was done, it was not, the command was not understood. */
const exitCodes = { done: 0, failed: 1, misused: 2 } as const

export type ProgramOptions = CliStreams & {
  /** The command's words, without the program's own name. */
  readonly words: readonly string[]
  /** Read when a command needs it, so that `--help` works without one. */
  readonly readConfig: () => Config
}

/** Runs one command. @returns the process's exit code. */
export const runProgram = async (options: ProgramOptions): Promise<number> => {
  try {
    await createProgram(options).parseAsync(options.words, { from: 'user' })
    return exitCodes.done
  } catch (error) {
    // Commander has said already what it has to say.
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? exitCodes.done : exitCodes.misused
    }
    options.stderr.write(`${toLocalError(error).message}\n`)
    return exitCodes.failed
  }
}

const createProgram = ({ readConfig, ...options }: ProgramOptions): Command => {
  const context: CommandContext = { ...options, call: createCall(readConfig) }
  const program = new Command('tessera')
    .description('Administers Tessera, with the same environment variables as the service')
    .exitOverride()
    .showHelpAfterError('(add --help for how it is used)')
    .configureOutput({
      writeOut: (text) => options.stdout.write(text),
      writeErr: (text) => options.stderr.write(text),
    })
  addMigrateCommand(program, context, readConfig)
  addDoctorCommand(program, context, readConfig)
  addKeyCommands(program, context)
  addClientCommands(program, context)
  addRegistrationTokenCommands(program, context)
  addAudienceCommands(program, context)
  addAssertionIssuerCommands(program, context)
  addDetailsTypeCommands(program, context)
  addUserCommands(program, context)
  addRoleCommands(program, context)
  addFamilyCommands(program, context)
  return program
}
