import { Check } from 'typebox/schema'
import { isWellFormedJson } from './text.ts'

/** A JSON Schema of the keywords below. Objects that name their members have no others. */
export type DetailSchema = { readonly [keyword: string]: unknown }

const types = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']

type Rule = (value: unknown) => boolean

const isSchema: Rule = (value) => isRecord(value) && Object.entries(value).every(isKeyword)
const isCount: Rule = (value) => Number.isInteger(value) && (value as number) >= 0
const isNumber: Rule = (value) => typeof value === 'number'
const isText: Rule = (value) => typeof value === 'string'
const isFlag: Rule = (value) => typeof value === 'boolean'
const isTextList: Rule = (value) => Array.isArray(value) && value.every(isText)

// A keyword that is not checked would let everything pass: those outside this list are refused.
const keywords: Readonly<Record<string, Rule>> = {
  type: (value) => types.includes(value as string),
  title: isText,
  description: isText,
  enum: (value) => Array.isArray(value) && value.length > 0,
  const: () => true,
  properties: (value) => isRecord(value) && Object.values(value).every(isSchema),
  required: isTextList,
  additionalProperties: isFlag,
  items: isSchema,
  minItems: isCount,
  maxItems: isCount,
  uniqueItems: isFlag,
  minLength: isCount,
  maxLength: isCount,
  pattern: (value) => typeof value === 'string' && isPattern(value),
  minimum: isNumber,
  maximum: isNumber,
}

const isKeyword = ([keyword, value]: [string, unknown]): boolean =>
  Object.hasOwn(keywords, keyword) && keywords[keyword]?.(value) === true

const isPattern = (text: string): boolean => {
  try {
    new RegExp(text, 'u')
    return true
  } catch {
    return false
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether a value is a schema of the known keywords, of an object that names its members. */
export const isDetailSchema = (value: unknown): value is DetailSchema =>
  isRecord(value) &&
  value.type === 'object' &&
  isRecord(value.properties) &&
  value.additionalProperties !== true &&
  isWellFormedJson(value) &&
  isSchema(value)

/** Whether a value, the member `type` left out, is what the schema says (RFC 9396 §5). */
export const matchesSchema = (schema: DetailSchema, value: unknown): boolean =>
  Check(closed(schema), value)

// RFC 9396 §5: a field that the type does not know is refused, however deep it stands.
const closed = (schema: DetailSchema): DetailSchema => {
  const { properties, items } = schema
  return {
    ...schema,
    ...(isRecord(properties)
      ? {
          additionalProperties: schema.additionalProperties ?? false,
          properties: mapValues(properties, closed),
        }
      : {}),
    ...(isRecord(items) ? { items: closed(items) } : {}),
  }
}

const mapValues = (
  record: Record<string, unknown>,
  change: (schema: DetailSchema) => DetailSchema,
): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, change(value as DetailSchema)]),
  )
