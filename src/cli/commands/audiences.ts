import { type Command, Option } from 'commander'
import { signingAlgorithms } from '../../oauth/algorithm.ts'
import {
  addCommand,
  addExamples,
  type CommandContext,
  type PrintOptions,
  parseWholeNumber,
  printResult,
} from '../command-context.ts'
import { formatRecord, formatTable } from '../output.ts'

type SetOptions = PrintOptions & {
  readonly algorithm?: string
  readonly accessTokenTtlSeconds?: number
  readonly scope?: string[]
}

export const addAudienceCommands = (program: Command, context: CommandContext): void => {
  const audiences = program
    .command('audiences')
    .description('Resource servers with settings of their own')
  addCommand(audiences, 'list', 'List the audiences that have settings').action(
    async (options: PrintOptions) => {
      const found = await context.call('audiences.list', {})
      printResult(context, options, found, formatTable(audienceColumns, found))
    },
  )
  addExamples(
    addCommand(
      audiences,
      'set <name>',
      'Set how tokens for an audience are signed and how long they live; what is left out becomes the default',
    )
      .addOption(new Option('--algorithm <name>', 'signing algorithm').choices(signingAlgorithms))
      .option(
        '--access-token-ttl-seconds <seconds>',
        'lifetime of its tokens',
        parseWholeNumber(1, 86_400),
      )
      .option('--scope <tokens...>', 'all scopes that it knows')
      .action(async (name: string, options: SetOptions) => {
        const { algorithm, accessTokenTtlSeconds, scope } = options
        const audience = await context.call('audiences.set', {
          name,
          signingAlgorithm: algorithm,
          accessTokenTtlSeconds,
          scope,
        })
        printResult(context, options, audience, formatRecord(audience))
      }),
    ['tessera audiences set https://api.example --algorithm ES256 --access-token-ttl-seconds 300'],
  )
}

const audienceColumns = {
  AUDIENCE: 'audience',
  ALGORITHM: 'signing_algorithm',
  'TOKEN LIFETIME (S)': 'access_token_ttl_seconds',
  SCOPE: 'scope',
} as const
