import type { Command } from 'commander'
import {
  addCommand,
  addExamples,
  type CommandContext,
  type PrintOptions,
  printResult,
} from '../command-context.ts'
import { formatRecord, formatTable } from '../output.ts'

export const addFamilyCommands = (program: Command, context: CommandContext): void => {
  const families = program
    .command('families')
    .description('Refresh-token families: one for each sign-in')
  addExamples(
    addCommand(
      families,
      'show <family-id>',
      'Show a family and what happened to it, oldest first; plain rotations are counted only',
    ).action(async (familyId: string, options: PrintOptions) => {
      const story = await context.call('families.show', { familyId })
      const { family, timeline, ...head } = story
      const record = formatRecord({ ...head, ...family })
      printResult(context, options, story, `${record}\n\n${formatTable(timelineColumns, timeline)}`)
    }),
    ['tessera families show 0b6a3ba5-9d3f-4f7c-8f4e-3c9e6a1d2b10'],
  )
}

const timelineColumns = {
  TIME: 'time',
  WHAT: 'what',
  ADDRESS: 'address',
  'USER AGENT': 'user_agent',
  ACTOR: 'actor',
} as const
