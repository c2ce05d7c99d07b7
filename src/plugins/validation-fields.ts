import { toPrintableName } from '../oauth/text.ts'

/** One complaint of the schema validator, as Fastify hands it on. */
export type SchemaComplaint = {
  readonly keyword: string
  readonly instancePath: string
  readonly params: Readonly<Record<string, unknown>>
  readonly message?: string
}

export type Field = { readonly field: string; readonly message: string }

/** However wrong a request is, its answer stays small. */
const maximumFields = 20

/**
 * Names every wrong member of a request once, with the first thing that is wrong with it.
 * @param part which part of the request was validated; names the whole when no member is to blame
 */
export const toFields = (complaints: readonly SchemaComplaint[], part: string): Field[] => {
  const fields = new Map<string, Field>()
  for (const complaint of complaints) {
    if (fields.size === maximumFields) break
    const field = fieldOf(complaint) || part
    if (!fields.has(field)) fields.set(field, { field, message: messageOf(complaint) })
  }
  return [...fields.values()]
}

const fieldOf = ({ instancePath, params }: SchemaComplaint): string => {
  const member = params.missingProperty ?? params.additionalProperty
  const path = instancePath.split('/').slice(1).map(unescapePointer)
  return [...path, ...(typeof member === 'string' ? [member] : [])].map(toPrintableName).join('.')
}

// RFC 6901 §4.
const unescapePointer = (token: string): string => token.replaceAll('~1', '/').replaceAll('~0', '~')

const messages: Record<string, (params: Readonly<Record<string, unknown>>) => string> = {
  required: () => 'is required',
  additionalProperties: () => 'is not a member of this request',
  type: ({ type }) => `must be of type ${type}`,
  minLength: ({ limit }) =>
    limit === 1 ? 'must not be empty' : `must have at least ${limit} characters`,
  maxLength: ({ limit }) => `must have at most ${limit} characters`,
  minItems: ({ limit }) => `must have at least ${limit} items`,
  maxItems: ({ limit }) => `must have at most ${limit} items`,
  format: ({ format }) => `must be a valid ${format}`,
  pattern: () => 'has characters or a form that are not allowed',
  enum: ({ allowedValues }) => `must be one of ${(allowedValues as unknown[]).join(', ')}`,
  const: ({ allowedValue }) => `must be ${allowedValue}`,
}

const messageOf = ({ keyword, params, message }: SchemaComplaint): string =>
  messages[keyword]?.(params) ?? message ?? 'is not valid'
