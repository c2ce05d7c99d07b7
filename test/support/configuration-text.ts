import { environmentSchema } from '../../src/config.ts'

type VariableNotes = {
  readonly description: string
  readonly default?: string | number | boolean
  readonly example?: string
}

const variables = Object.entries(environmentSchema.properties) as unknown as [
  name: string,
  notes: VariableNotes,
][]

/** What `.env.example` must hold: every variable with one line that says what it is. */
export const environmentExample = (): string =>
  variables
    .map(([name, notes]) => `# ${notes.description}\n# ${name}=${notes.default ?? notes.example}\n`)
    .join('\n')

/** The rows of the README's table of settings, in the order of the schema. */
export const configurationRows = (): string[] => [
  '| variable | default | meaning |',
  '|---|---|---|',
  ...variables.map(([name, notes]) => {
    const byDefault = notes.default === undefined ? '' : `\`${notes.default}\``
    return `| \`${name}\` | ${byDefault} | ${notes.description} |`
  }),
]
