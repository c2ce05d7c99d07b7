import type { Command } from 'commander'
import {
  addCommand,
  addExamples,
  type CommandContext,
  type PrintOptions,
  parseList,
  parseMany,
  parseWholeNumber,
  printResult,
} from '../command-context.ts'
import { formatRecord, formatTable } from '../output.ts'

type CreateOptions = PrintOptions & {
  readonly id?: string
  readonly name: string
  readonly grant?: string[]
  readonly scope?: string[]
  readonly audience?: string[]
  readonly resourceServer?: string[]
  readonly redirectUri?: string[]
  readonly corsOrigin?: string[]
  readonly authMethod?: string
  readonly refreshGraceSeconds?: number
}

export const addClientCommands = (program: Command, context: CommandContext): void => {
  const clients = program.command('clients').description('Applications and machines')
  addCreate(clients, context)
  addCommand(clients, 'list', 'List all clients, oldest first').action(
    async (options: PrintOptions) => {
      const found = await context.call('clients.list', {})
      const rows = found.map((client) => ({ ...client, status: statusOf(client) }))
      printResult(context, options, found, formatTable(clientColumns, rows))
    },
  )
  const acts = [
    ['show', 'clients.show', 'Show a client; its secret is not kept and cannot be shown'],
    ['disable', 'clients.disable', 'Refuse a client and its tokens, and end its refresh tokens'],
    ['enable', 'clients.enable', 'Let a disabled client in again'],
  ] as const
  for (const [name, operation, description] of acts) {
    addCommand(clients, `${name} <client-id>`, description).action(
      async (clientId: string, options: PrintOptions) => {
        const client = await context.call(operation, { clientId })
        printResult(context, options, client, formatRecord(client))
      },
    )
  }
  addRotateSecret(clients, context)
}

const clientColumns = {
  'CLIENT ID': 'client_id',
  NAME: 'client_name',
  GRANTS: 'grant_types',
  SCOPE: 'scope',
  AUDIENCE: 'audience',
  SERVES: 'resource_server',
  STATUS: 'status',
} as const

const statusOf = ({ disabled_at }: { disabled_at: string | null }): string =>
  disabled_at === null ? 'active' : 'disabled'

const addCreate = (clients: Command, context: CommandContext): void => {
  const create = addCommand(clients, 'create', 'Register a client and print its secret, once')
    .requiredOption('--name <name>', 'what people call it')
    .option('--id <id>', 'its client_id; a random one by default')
    .option('--grant <type>', 'grant type that it may use (repeatable)', parseList)
    .option('--scope <scope>', 'scope that it may be granted (repeatable)', parseList)
    .option('--audience <uri>', 'audience that it may ask tokens for (repeatable)', parseMany)
    .option('--resource-server <uri>', 'audience that it serves (repeatable)', parseMany)
    .option('--redirect-uri <uri>', 'where sign-ins may return to (repeatable)', parseMany)
    .option('--cors-origin <origin>', 'web page that may read its answers (repeatable)', parseMany)
    .option('--auth-method <method>', 'client_secret_basic, client_secret_post or none')
    .option(
      '--refresh-grace-seconds <seconds>',
      'window for retried refreshes',
      parseWholeNumber(0, 600),
    )
    .action((options: CreateOptions) => createClient(context, options))
  addExamples(create, [
    'tessera clients create --name billing --grant client_credentials --scope "invoices:read" --audience https://api.example',
    'tessera clients create --name "orders API" --resource-server https://api.example --json',
  ])
}

const createClient = async (context: CommandContext, options: CreateOptions): Promise<void> => {
  const client = await context.call('clients.create', {
    id: options.id,
    name: options.name,
    authenticationMethod: options.authMethod,
    grantTypes: options.grant,
    scope: options.scope,
    audience: options.audience,
    resourceServer: options.resourceServer,
    redirectUris: options.redirectUri,
    corsOrigins: options.corsOrigin,
    refreshGraceSeconds: options.refreshGraceSeconds,
  })
  printWithSecret(context, options, client)
}

const addRotateSecret = (clients: Command, context: CommandContext): void => {
  addCommand(clients, 'rotate-secret <client-id>', 'Give a client a new secret and print it, once')
    .option(
      '--overlap-seconds <seconds>',
      'how long its earlier secrets stay good; a day by default',
      parseWholeNumber(0, 2_592_000),
    )
    .action(async (clientId: string, options: PrintOptions & { overlapSeconds?: number }) => {
      const { overlapSeconds } = options
      const client = await context.call('clients.rotate_secret', { clientId, overlapSeconds })
      printWithSecret(context, options, client)
    })
}

const printWithSecret = (context: CommandContext, options: PrintOptions, client: object): void => {
  const note = 'client_secret' in client ? '\n\nKeep the secret: it will not be shown again.' : ''
  printResult(context, options, client, `${formatRecord(client)}${note}`)
}
