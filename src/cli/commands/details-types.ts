import type { Command } from 'commander'
import {
  addCommand,
  addExamples,
  type CommandContext,
  type PrintOptions,
  printResult,
} from '../command-context.ts'
import { formatRecord, formatTable } from '../output.ts'
import { parseJson } from '../parse-json.ts'

type SetOptions = PrintOptions & { readonly description: string; readonly schema: unknown }

export const addDetailsTypeCommands = (program: Command, context: CommandContext): void => {
  const types = program
    .command('authorization-details-types')
    .description('What clients may ask for beyond scope (RFC 9396)')
  addCommand(types, 'list', 'List the types').action(async (options: PrintOptions) => {
    const found = await context.call('authorization-details-types.list', {})
    printResult(context, options, found, formatTable(typeColumns, found))
  })
  addExamples(
    addCommand(types, 'set <type>', 'Create or replace a type')
      .requiredOption('--description <text>', 'for the person who is asked to agree')
      .requiredOption('--schema <json>', 'JSON Schema of its members, `type` aside', parseJson)
      .action(async (type: string, options: SetOptions) => {
        const { description, schema } = options
        const set = await context.call('authorization-details-types.set', {
          ...{ type, description, schema },
        })
        printResult(context, options, set, formatRecord({ ...set, schema: JSON.stringify(schema) }))
      }),
    [
      `tessera authorization-details-types set payment --description 'Make a payment' --schema '{"type":"object","properties":{"amount":{"type":"string"}},"required":["amount"]}'`,
    ],
  )
  addCommand(types, 'remove <type>', 'Remove a type; what was granted stays granted').action(
    async (type: string, options: PrintOptions) => {
      const removed = await context.call('authorization-details-types.remove', { type })
      printResult(context, options, removed, formatRecord(removed))
    },
  )
}

const typeColumns = { TYPE: 'type', DESCRIPTION: 'description' } as const
