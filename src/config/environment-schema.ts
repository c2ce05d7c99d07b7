import { type Static, Type } from 'typebox'
import { operationVariables } from './operation-variables.ts'
import { outsideVariables } from './outside-variables.ts'
import { protectionVariables } from './protection-variables.ts'
import { serviceVariables } from './service-variables.ts'
import { tokenVariables } from './token-variables.ts'

/** Every setting of the service: the environment variable's name, type, default and meaning. */
export const environmentSchema = Type.Object({
  ...serviceVariables,
  ...tokenVariables,
  ...protectionVariables,
  ...outsideVariables,
  ...operationVariables,
})

/** The environment after it was read: every variable with its type, defaults filled in. */
export type Environment = Static<typeof environmentSchema>
export type VariableName = keyof Environment
