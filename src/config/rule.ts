import type { Environment, VariableName } from './environment-schema.ts'
import type { Config } from './settings.ts'

/** Something that the variables must hold to, one alone or several together. */
export type Rule = {
  /** The variables it is about; when one of them could not even be read, the rule says nothing. */
  readonly about: readonly VariableName[]
  readonly isBroken: (environment: Environment, config: Config) => boolean
  readonly sentence: string
}
