import type { Command } from 'commander'
import {
  addCommand,
  addExamples,
  type CommandContext,
  type PrintOptions,
  parseWholeNumber,
  printResult,
} from '../command-context.ts'
import { formatRecord, formatTable } from '../output.ts'

type CreateOptions = PrintOptions & {
  readonly name: string
  readonly maxUses?: number
  readonly unlimited?: boolean
  readonly ttlSeconds?: number
}

export const addRegistrationTokenCommands = (program: Command, context: CommandContext): void => {
  const tokens = program
    .command('registration-tokens')
    .description('Tokens by which clients may register themselves')
  addCreate(tokens, context)
  addCommand(tokens, 'list', 'List them, newest first').action(async (options: PrintOptions) => {
    const found = await context.call('registration_tokens.list', {})
    const rows = found.map((token) => ({
      ...token,
      used: `${token.uses} of ${token.max_uses ?? 'any'}`,
      revoked: token.revoked_at ?? '-',
    }))
    printResult(context, options, found, formatTable(columns, rows))
  })
  addCommand(tokens, 'revoke <id>', 'Let nobody register by a token any more').action(
    async (id: string, options: PrintOptions) => {
      const revoked = await context.call('registration_tokens.revoke', { id })
      printResult(context, options, revoked, formatRecord(revoked))
    },
  )
}

const columns = {
  ID: 'id',
  NAME: 'name',
  USED: 'used',
  EXPIRES: 'expires_at',
  REVOKED: 'revoked',
} as const

const addCreate = (tokens: Command, context: CommandContext): void => {
  const create = addCommand(tokens, 'create', 'Make a token and print it, once')
    .requiredOption('--name <name>', 'whom it is given to')
    .option(
      '--max-uses <number>',
      'clients that it lets in; 1 by default',
      parseWholeNumber(1, 1e4),
    )
    .option('--unlimited', 'let in any number of clients')
    .option(
      '--ttl-seconds <seconds>',
      'how long it is good; a day by default',
      parseWholeNumber(60, 31_536_000),
    )
    .action(async (options: CreateOptions) => {
      const { name, maxUses, ttlSeconds } = options
      const created = await context.call('registration_tokens.create', {
        ...{ name, ttlSeconds },
        maxUses: options.unlimited ? null : maxUses,
      })
      const note = '\n\nKeep the token: it will not be shown again.'
      printResult(context, options, created, `${formatRecord(created)}${note}`)
    })
  addExamples(create, ['tessera registration-tokens create --name partner --max-uses 5'])
}
