import { type Command, Option } from 'commander'
import { type SigningAlgorithm, signingAlgorithms } from '../../oauth/algorithm.ts'
import { CliError } from '../cli-error.ts'
import {
  addCommand,
  addExamples,
  type CommandContext,
  type PrintOptions,
  printResult,
} from '../command-context.ts'
import type { ResultOf } from '../operations/index.ts'

type EmergencyOptions = PrintOptions & { readonly dryRun?: boolean; readonly yes?: boolean }
type PromoteOptions = EmergencyOptions & {
  readonly algorithm: SigningAlgorithm
  readonly revoke: string
}
type ReplaceOptions = EmergencyOptions & { readonly keepRefreshTokens?: boolean }
type Plan = ResultOf<'keys.promote_next'>

/** For keys that have leaked. Each command says whom it will hurt, and acts only with `--yes`. */
export const addEmergencyCommands = (keys: Command, context: CommandContext): void => {
  const promote = addCommand(
    keys,
    'promote-next',
    'Revoke one leaked signing key; the published next one signs at once',
  )
    .addOption(
      new Option('--algorithm <name>', 'its ring').choices(signingAlgorithms).makeOptionMandatory(),
    )
    .requiredOption('--revoke <kid>', 'the key that has leaked')
  addConsent(promote).action(async ({ algorithm, revoke, ...options }: PromoteOptions) =>
    act(context, options, (dryRun) =>
      context.call('keys.promote_next', { algorithm, revoke, dryRun }),
    ),
  )
  addExamples(promote, ['tessera keys promote-next --algorithm RS256 --revoke <kid> --dry-run'])

  const replace = addCommand(
    keys,
    'replace-all',
    'Revoke all keys: the database or a key-encryption key has leaked',
  ).option('--keep-refresh-tokens', 'sign nobody out: go on accepting tokens of the old MAC keys')
  addConsent(replace).action(async ({ keepRefreshTokens = false, ...options }: ReplaceOptions) =>
    act(context, options, (dryRun) =>
      context.call('keys.replace_all', { keepRefreshTokens, dryRun }),
    ),
  )
  addExamples(replace, ['tessera keys replace-all --dry-run', 'tessera keys replace-all --yes'])
}

const addConsent = (command: Command): Command =>
  command
    .option('--dry-run', 'only say what would happen')
    .addOption(new Option('--yes', 'do it').conflicts('dryRun'))

const act = async (
  context: CommandContext,
  options: EmergencyOptions,
  perform: (dryRun: boolean) => Promise<Plan>,
): Promise<void> => {
  const plan = await perform(options.yes !== true)
  printResult(context, options, plan, describe(plan))
  if (plan.outcome === 'refused') throw new CliError('Nothing was done')
  if (options.yes !== true && options.dryRun !== true) {
    throw new CliError('Nothing was done: repeat the command with --yes')
  }
}

const describe = (plan: Plan): string => {
  if (plan.outcome === 'refused') return `Refused: ${plan.reason}`
  const [revoked, signs] =
    plan.outcome === 'done' ? ['Revoked', 'Signs now'] : ['Would be revoked', 'Would sign']
  return [
    `${revoked}: ${plan.revoked.join(' ')}`,
    ...(plan.promoted === null ? [] : [`${signs}: ${plan.promoted}`]),
    ...plan.consequences.map(({ who, until }) => `- ${who} (${describeEnd(until)})`),
  ].join('\n')
}

const describeEnd = (until: string | null): string =>
  until === null ? 'for good' : `until ${until}`
