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
import { addChangeable, type ChangeOptions, changeOf } from './client-options.ts'

type CreateOptions = ChangeOptions & {
  readonly id?: string
  readonly name: string
  readonly authMethod?: string
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
  addUpdate(clients, context)
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
    .option('--auth-method <method>', 'client_secret_basic, client_secret_post or none')
    .action((options: CreateOptions) => createClient(context, options))
  addChangeable(create)
  addExamples(create, [
    'tessera clients create --name billing --grant client_credentials --scope "invoices:read" --audience https://api.example',
    'tessera clients create --name "orders API" --resource-server https://api.example --json',
    'tessera clients create --name bank --profile fapi2 --grant authorization_code,refresh_token --redirect-uri https://bank.example/cb --jwks-uri https://bank.example/jwks.json',
  ])
}

const addUpdate = (clients: Command, context: CommandContext): void => {
  const update = addCommand(
    clients,
    'update <client-id>',
    'Change what is stated of a client, a list as a whole; the rest stays',
  )
    .option('--name <name>', 'what people call it')
    .action(async (clientId: string, options: ChangeOptions) => {
      const change = { name: options.name, ...changeOf(options) }
      const stated = Object.entries(change).filter(([, value]) => value !== undefined)
      const input = { clientId, ...Object.fromEntries(stated) }
      const client = await context.call('clients.update', input)
      printResult(context, options, client, formatRecord(client))
    })
  addChangeable(update)
  addExamples(update, ['tessera clients update billing --scope "invoices:read" --name Billing'])
}

const createClient = async (context: CommandContext, options: CreateOptions): Promise<void> => {
  const client = await context.call('clients.create', {
    id: options.id,
    name: options.name,
    authenticationMethod: options.authMethod,
    ...changeOf(options),
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
