import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { isWellFormedText } from '../../oauth/text.ts'
import { toLocalError } from '../local-error.ts'
import type { LocalResponse } from '../local-message.ts'
import { operations } from './index.ts'
import type { Operation, OperationDeps } from './operation.ts'

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

/** Whether all texts in it are ones that the database can hold. */
const isWellFormed = (value: unknown): boolean => {
  if (typeof value === 'string') return isWellFormedText(value)
  return !isObject(value) || Object.values(value).every(isWellFormed)
}

const findOperation = (name: unknown): Operation<TSchema, unknown> | undefined =>
  typeof name === 'string' && Object.hasOwn(operations, name)
    ? (operations as Record<string, Operation<TSchema, unknown>>)[name]
    : undefined

const refuse = (message: string): LocalResponse => ({ ok: false, error: { message } })

/** Does what a request asks for. Never rejects: what goes wrong is in the response. */
export const performOperation = async (
  deps: OperationDeps,
  request: unknown,
): Promise<LocalResponse> => {
  const { operation: name, input } = isObject(request) ? request : {}
  const operation = findOperation(name)
  if (operation === undefined) {
    return refuse('The server does not know this command: its version is another')
  }
  if (!Value.Check(operation.input, input) || !isWellFormed(input)) {
    return refuse('The input is not what the command takes')
  }
  try {
    return { ok: true, result: await operation.run(deps, input) }
  } catch (error) {
    return { ok: false, error: toLocalError(error) }
  }
}
