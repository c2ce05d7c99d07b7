import { type Command, Option } from 'commander'
import { subjectMappings } from '../../clients/assertion-issuer.ts'
import {
  addCommand,
  addExamples,
  type CommandContext,
  type PrintOptions,
  parseWholeNumber,
  printResult,
} from '../command-context.ts'
import { formatRecord, formatTable } from '../output.ts'
import { parseJson } from '../parse-json.ts'

type SetOptions = PrintOptions & {
  readonly jwks?: unknown
  readonly jwksUri?: string
  readonly client: string[]
  readonly audience: string[]
  readonly scope?: string[]
  readonly subject: string
  readonly assertionAudience?: string
  readonly maxLifetimeSeconds?: number
}

export const addAssertionIssuerCommands = (program: Command, context: CommandContext): void => {
  const issuers = program
    .command('assertion-issuers')
    .description('Whose assertions are believed (RFC 7523)')
  addCommand(issuers, 'list', 'List the issuers').action(async (options: PrintOptions) => {
    const found = await context.call('assertion-issuers.list', {})
    printResult(context, options, found, formatTable(issuerColumns, found))
  })
  addSetCommand(issuers, context)
  addCommand(issuers, 'remove <issuer>', 'Believe an issuer no longer').action(
    async (issuer: string, options: PrintOptions) => {
      const removed = await context.call('assertion-issuers.remove', { issuer })
      printResult(context, options, removed, formatRecord(removed))
    },
  )
}

const addSetCommand = (issuers: Command, context: CommandContext): void => {
  addExamples(
    addCommand(issuers, 'set <issuer>', 'Create or replace an issuer')
      .option('--jwks <json>', 'its public keys', parseJson)
      .option('--jwks-uri <url>', 'where its public keys are')
      .requiredOption('--client <ids...>', 'clients that may present its assertions')
      .requiredOption('--audience <names...>', 'whom tokens may be for')
      .option('--scope <tokens...>', 'what tokens may have')
      .addOption(
        new Option('--subject <kind>', 'what its subjects are')
          .choices(subjectMappings)
          .makeOptionMandatory(),
      )
      .addOption(
        new Option('--assertion-audience <kind>', 'whom its assertions are for').choices([
          'issuer',
          'legacy',
        ]),
      )
      .option('--max-lifetime-seconds <seconds>', 'of an assertion', parseWholeNumber(1, 600))
      .action(async (issuer: string, { client: clients, ...options }: SetOptions) => {
        const { json: _print, ...input } = options
        const set = await context.call('assertion-issuers.set', { issuer, clients, ...input })
        const printed = { ...set, jwks: set.jwks && JSON.stringify(set.jwks) }
        printResult(context, options, set, formatRecord(printed))
      }),
    [
      'tessera assertion-issuers set https://ci.example --jwks-uri https://ci.example/jwks.json --client deployer --audience https://deploy.example --scope deploy --subject external',
    ],
  )
}

const issuerColumns = {
  ISSUER: 'issuer',
  SUBJECT: 'subject',
  CLIENTS: 'clients',
  AUDIENCE: 'audience',
  SCOPE: 'scope',
} as const
