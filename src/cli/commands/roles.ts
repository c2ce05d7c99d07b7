import type { Command } from 'commander'
import { permissionNames, permissions } from '../../oauth/permission.ts'
import {
  addCommand,
  addExamples,
  type CommandContext,
  type PrintOptions,
  printResult,
} from '../command-context.ts'
import { formatRecord, formatTable } from '../output.ts'

export const addRoleCommands = (program: Command, context: CommandContext): void => {
  const roles = program
    .command('roles')
    .description('What people who administer are permitted to do; users grant-role gives a role')
  addCommand(roles, 'list', 'List roles and what they permit').action(
    async (options: PrintOptions) => {
      const found = await context.call('roles.list', {})
      printResult(context, options, found, formatTable(roleColumns, found))
    },
  )
  const set = addCommand(
    roles,
    'set <name> [permissions...]',
    'Create a role, or replace what it permits',
  ).action(async (name: string, permissions: string[], options: PrintOptions) => {
    const role = await context.call('roles.set', { name, permissions })
    printResult(context, options, role, formatRecord(role))
  })
  set.addHelpText('after', permissionHelp)
  addExamples(set, ['tessera roles set support users.read sessions.read sessions.write'])
  addCommand(roles, 'delete <name>', 'Delete a role that no user has').action(
    async (name: string, options: PrintOptions) => {
      const deleted = await context.call('roles.delete', { name })
      printResult(context, options, deleted, formatRecord(deleted))
    },
  )
}

const roleColumns = { ROLE: 'name', PERMISSIONS: 'permissions', 'BUILT IN': 'built_in' } as const

const longest = Math.max(...permissionNames.map((name) => name.length))

const permissionHelp = `\nPermissions:\n${permissionNames
  .filter((name) => name !== 'admin')
  .map((name) => `  ${name.padEnd(longest)}  ${permissions[name]}`)
  .join('\n')}`
