import { Value } from 'typebox/value'
import { type Environment, environmentSchema, type VariableName } from './environment-schema.ts'

/** Something wrong with a variable, as a sentence that never contains its value. */
export type Complaint = { readonly name: VariableName; readonly sentence: string }

export type EnvironmentVariables = Readonly<Record<string, string | undefined>>

/** The part of a variable's JSON schema that decides how it is read. */
type VariableSchema = {
  readonly type?: string
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly default?: unknown
  /** What a text of a certain form must be. */
  readonly expectation?: string
}

const schemas = Object.entries(environmentSchema.properties) as [VariableName, VariableSchema][]

/**
 * Reads every variable by its own type. White space around a value is not part of it, and an empty
 * one counts as unset.
 * @returns the values, with the default in place of what could not be read, and what was wrong
 */
export const readEnvironment = (
  variables: EnvironmentVariables,
): { readonly environment: Environment; readonly complaints: readonly Complaint[] } => {
  const complaints: Complaint[] = []
  const values = schemas.flatMap(([name, schema]) => {
    const text = variables[name]?.trim() || undefined
    const value = text === undefined ? schema.default : parse(schema, text)
    if (value === undefined) return []
    if (Value.Check(environmentSchema.properties[name], value)) return [[name, value]]
    complaints.push({ name, sentence: `${name} must be ${expectation(schema)}` })
    return schema.default === undefined ? [] : [[name, schema.default]]
  })
  return { environment: Object.fromEntries(values) as Environment, complaints }
}

const parse = ({ type }: VariableSchema, text: string): unknown => {
  if (type === 'integer') return /^\d+$/.test(text) ? Number(text) : text
  if (type === 'boolean') return booleans[text] ?? text
  return text
}

const booleans: Readonly<Record<string, boolean>> = { true: true, 1: true, false: false, 0: false }

const expectation = (schema: VariableSchema): string => {
  const { type, enum: words, minimum, maximum } = schema
  if (schema.expectation !== undefined) return schema.expectation
  if (type === 'integer') return `a whole number from ${minimum} to ${maximum}`
  return words === undefined ? 'true or false' : `one of ${words.join(', ')}`
}
