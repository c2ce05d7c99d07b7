import { type Command, Option } from 'commander'
import { signingAlgorithms } from '../../oauth/algorithm.ts'
import { CliError } from '../cli-error.ts'
import {
  addCommand,
  addExamples,
  type CommandContext,
  type PrintOptions,
  printResult,
} from '../command-context.ts'
import type { InputOf, ResultOf } from '../operations/index.ts'
import { formatTable } from '../output.ts'
import { addEmergencyCommands } from './key-emergencies.ts'

type RotateOptions = PrintOptions & {
  readonly algorithm?: InputOf<'keys.rotate'>['algorithm']
  readonly mac?: boolean
  readonly dryRun?: boolean
}

export const addKeyCommands = (program: Command, context: CommandContext): void => {
  const keys = program.command('keys').description('Signing keys and the keys of refresh tokens')
  addCommand(keys, 'list', 'List the keys, and what becomes of each by itself')
    .option('--mac', 'the keys of refresh tokens instead of the signing keys')
    .action((options: PrintOptions & { readonly mac?: boolean }) =>
      options.mac ? listMac(context, options) : list(context, options),
    )
  addExamples(
    addCommand(keys, 'rotate', 'Let the published next keys sign, where that is safe already')
      .addOption(new Option('--algorithm <name>', 'only this ring').choices(signingAlgorithms))
      .addOption(
        new Option('--mac', 'the key of refresh tokens instead').conflicts(['algorithm', 'dryRun']),
      )
      .option('--dry-run', 'only say what would happen')
      .action((options: RotateOptions) =>
        options.mac ? rotateMac(context, options) : rotate(context, options),
      ),
    [
      'tessera keys rotate --dry-run',
      'tessera keys rotate --algorithm ES256',
      'tessera keys rotate --mac',
    ],
  )
  addEmergencyCommands(keys, context)
  addCommand(keys, 'reseal', 'Seal all keys with the newest key-encryption key').action(
    async (options: PrintOptions) => {
      const result = await context.call('keys.reseal', {})
      const text = `Keys sealed with the newest key-encryption key: ${result.resealed}`
      printResult(context, options, result, text)
    },
  )
}

const keyColumns = {
  ALGORITHM: 'alg',
  STATE: 'state',
  KID: 'kid',
  'SIGNS FROM': 'sign_from',
  'SIGNS UNTIL': 'sign_until',
  'PUBLISHED UNTIL': 'drop_after',
  'MAY SIGN FROM': 'safe_to_rotate_at',
  'NEXT STEP': 'next_step',
  AT: 'next_step_at',
} as const

const macKeyColumns = {
  NUMBER: 'number',
  STATE: 'state',
  'USED FROM': 'use_from',
  'REPLACED AT': 'replaced_at',
  'KEPT UNTIL': 'drop_after',
} as const

const list = async (context: CommandContext, options: PrintOptions): Promise<void> => {
  const found = await context.call('keys.list', {})
  printResult(context, options, found, formatTable(keyColumns, found))
}

const listMac = async (context: CommandContext, options: PrintOptions): Promise<void> => {
  const found = await context.call('keys.list_mac', {})
  printResult(context, options, found, formatTable(macKeyColumns, found))
}

const rotate = async (context: CommandContext, options: RotateOptions): Promise<void> => {
  const { algorithm, dryRun = false } = options
  const plans = await context.call('keys.rotate', { algorithm, dryRun })
  printResult(context, options, plans, plans.map(describePlan).join('\n'))
  const refused = plans.filter(({ outcome }) => outcome === 'refused').map(({ alg }) => alg)
  if (refused.length > 0) throw new CliError(`Not rotated: ${refused.join(', ')}`)
}

const describePlan = (plan: ResultOf<'keys.rotate'>[number]): string => {
  if (plan.outcome === 'refused') return `${plan.alg}: ${describeRefusal(plan)}`
  const [signs, stays] =
    plan.outcome === 'planned' ? ['would sign', 'would stay'] : ['signs', 'stays']
  const { alg, promote, sign_from, retire, drop_after } = plan
  return `${alg}: ${promote} ${signs} from ${sign_from}; ${retire} ${stays} published until ${drop_after}`
}

const describeRefusal = (refusal: { reason: string; safe_at: string | null }): string =>
  `refused, ${refusal.reason}${refusal.safe_at === null ? '' : `; safe from ${refusal.safe_at}`}`

const rotateMac = async (context: CommandContext, options: RotateOptions): Promise<void> => {
  const rotation = await context.call('keys.rotate_mac', {})
  const text =
    rotation.outcome === 'refused'
      ? `MAC key: ${describeRefusal(rotation)}`
      : `MAC key ${rotation.number} authenticates new refresh tokens from ${rotation.use_from}`
  printResult(context, options, rotation, text)
  if (rotation.outcome === 'refused') throw new CliError('Not rotated: the MAC key')
}
