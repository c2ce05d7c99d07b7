import { type Command, InvalidArgumentError } from 'commander'
import type { Call } from './operations/index.ts'

/** Where a command reads and writes. */
export type CliStreams = {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
}

/** What a command works with. */
export type CommandContext = CliStreams & { readonly call: Call }

/** Every command that prints takes `--json`. */
export type PrintOptions = { readonly json?: boolean }

/** Prints a result: for machines as JSON, for people as `text`. */
export const printResult = (
  { stdout }: CommandContext,
  { json }: PrintOptions,
  result: unknown,
  text: string,
): void => {
  stdout.write(`${json ? JSON.stringify(result, null, 2) : text}\n`)
}

/** Adds a subcommand that prints. @param usage its name and arguments, such as `show <client-id>`. */
export const addCommand = (parent: Command, usage: string, description: string): Command =>
  parent.command(usage).description(description).option('--json', 'print JSON')

/** Adds examples under the help of a command. */
export const addExamples = (command: Command, examples: readonly string[]): Command =>
  command.addHelpText(
    'after',
    `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`,
  )

/** Option parser: a list, given several times or separated by commas or spaces. */
export const parseList = (value: string, before: readonly string[] = []): string[] => [
  ...before,
  ...value.split(/[\s,]+/).filter((item) => item !== ''),
]

/** Option parser: a list of values that may hold commas, given several times. */
export const parseMany = (value: string, before: readonly string[] = []): string[] => [
  ...before,
  value,
]

/** Option parser: a whole number within bounds. */
export const parseWholeNumber =
  (minimum: number, maximum: number) =>
  (value: string): number => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
    if (number >= minimum && number <= maximum) return number
    throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`)
  }
