import type { Command } from 'commander'
import {
  addCommand,
  addExamples,
  type CommandContext,
  type PrintOptions,
  parseList,
  parseWholeNumber,
  printResult,
} from '../command-context.ts'
import { formatRecord, formatTable } from '../output.ts'
import { obtainPassword } from '../password-input.ts'

type PasswordOptions = PrintOptions & { readonly passwordStdin?: boolean }

type CreateOptions = PasswordOptions & {
  readonly email: string
  readonly username?: string
  readonly name?: string
  readonly givenName?: string
  readonly familyName?: string
  readonly role?: string[]
}

type ListOptions = PrintOptions & { readonly after?: string; readonly limit: number }

const whichUser = '<user>'

export const addUserCommands = (program: Command, context: CommandContext): void => {
  const users = program
    .command('users')
    .description('Accounts of people; a user is named by id, email address or username')
  addCreate(users, context)
  addList(users, context)
  const acts = [
    ['show', 'users.show', 'Show a user'],
    ['disable', 'users.disable', 'Refuse a user, and end all sessions and refresh tokens'],
    ['enable', 'users.enable', 'Let a disabled user sign in again'],
    ['unlock', 'users.unlock', 'Let a user sign in who was locked out by failed attempts'],
    ['end-sessions', 'users.end_sessions', 'End all sessions and refresh tokens of a user'],
    [
      'force-password-change',
      'users.force_password_change',
      'End all sessions, and permit nothing until the password is changed',
    ],
    ['delete', 'users.delete', 'Delete a user, who can be restored for USER_PURGE_DAYS'],
    ['restore', 'users.restore', 'Make a deleted user a disabled one'],
  ] as const
  for (const [name, operation, description] of acts) {
    addCommand(users, `${name} ${whichUser}`, description).action(
      async (user: string, options: PrintOptions) => {
        const changed = await context.call(operation, { user })
        printResult(context, options, changed, formatRecord(changed))
      },
    )
  }
  addSetPassword(users, context)
  addRoleCommands(users, context)
}

const addCreate = (users: Command, context: CommandContext): void => {
  const create = addCommand(users, 'create', 'Create an account')
    .requiredOption('--email <address>', 'email address, which nobody else has')
    .option('--username <name>', 'a second name to sign in with')
    .option('--name <name>', 'full name')
    .option('--given-name <name>', 'given name')
    .option('--family-name <name>', 'family name')
    .option('--role <role>', 'role instead of "user" (repeatable)', parseList)
    .option('--password-stdin', passwordHelp)
    .action(async (options: CreateOptions) => {
      const { email, username, name, givenName, familyName, role: roles } = options
      const { password, generated } = await obtainPassword(context, options.passwordStdin ?? false)
      const account = { email, username, name, givenName, familyName, roles, password }
      printUser(context, options, await context.call('users.create', account), generated, password)
    })
  addExamples(create, [
    'tessera users create --email ada@example.com --role user --role admin',
    'tessera users create --email ada@example.com --password-stdin <password.txt',
  ])
}

const passwordHelp =
  'read the password from standard input; without it you are asked, or away from a terminal one is made and printed once'

const addSetPassword = (users: Command, context: CommandContext): void => {
  addCommand(
    users,
    `set-password ${whichUser}`,
    'Give a user a new password, and end all sessions and refresh tokens',
  )
    .option('--password-stdin', passwordHelp)
    .action(async (user: string, options: PasswordOptions) => {
      const { password, generated } = await obtainPassword(context, options.passwordStdin ?? false)
      const changed = await context.call('users.set_password', { user, password })
      printUser(context, options, changed, generated, password)
    })
}

const printUser = (
  context: CommandContext,
  options: PrintOptions,
  user: object,
  generated: boolean,
  password: string,
): void => {
  const shown = generated ? { ...user, password } : user
  const note = generated ? '\n\nKeep the password: it will not be shown again.' : ''
  printResult(context, options, shown, `${formatRecord(shown)}${note}`)
}

const addList = (users: Command, context: CommandContext): void => {
  addCommand(users, 'list', 'List users in the order of their email addresses')
    .option('--limit <number>', 'how many, up to 1000', parseWholeNumber(1, 1000), 100)
    .option('--after <email>', 'begin after this email address')
    .action(async (options: ListOptions) => {
      const { after, limit } = options
      const found = await context.call('users.list', { after, limit })
      printResult(context, options, found, formatTable(userColumns, found))
      const last = found.at(-1)
      if (!options.json && last !== undefined && found.length === limit) {
        context.stderr.write(`There may be more: --after ${last.email}\n`)
      }
    })
}

const userColumns = {
  EMAIL: 'email',
  USERNAME: 'username',
  ROLES: 'roles',
  STATUS: 'status',
  'LAST SIGN-IN': 'last_login_at',
  ID: 'id',
} as const

const addRoleCommands = (users: Command, context: CommandContext): void => {
  const acts = [
    ['grant-role', 'users.grant_role', 'Give a user a role'],
    ['revoke-role', 'users.revoke_role', 'Take a role from a user'],
  ] as const
  for (const [name, operation, description] of acts) {
    const command = addCommand(users, `${name} ${whichUser} <role>`, description).action(
      async (user: string, role: string, options: PrintOptions) => {
        const changed = await context.call(operation, { user, role })
        printResult(context, options, changed, formatRecord(changed))
      },
    )
    addExamples(command, [`tessera users ${name} ada@example.com admin`])
  }
}
