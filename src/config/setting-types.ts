import { Type } from 'typebox'
import { rateLimitForm, rateLimitPattern } from './rate-limits.ts'

/** What is known about a variable beside its type. */
type Notes = {
  /** What a value looks like, for the documentation of a variable without a default. */
  readonly example?: string
  /** Holds a password or a key. */
  readonly secret?: true
}

/** A text, or nothing. */
export const text = (description: string, notes: Notes = {}) =>
  Type.Optional(Type.String({ description, ...notes }))

/** A text with a default. */
export const textOr = (byDefault: string, description: string) =>
  Type.String({ default: byDefault, description })

/** One of a few words. */
export const oneOf = <const Words extends readonly string[]>(
  words: Words,
  byDefault: Words[number],
  description: string,
) => Type.Enum(words, { default: byDefault, description })

/** A TCP port that is only listened on when it is set. */
export const optionalPort = (description: string, notes: Notes = {}) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535, description, ...notes }))

/** A whole number. The largest is what a timer of Node.js can wait, in milliseconds. */
export const number = (
  byDefault: number,
  description: string,
  minimum = 1,
  maximum = 2 ** 31 - 1,
) => Type.Integer({ default: byDefault, minimum, maximum, description })

/** A rate limit: `points/seconds`, or `off`. */
export const rateLimit = (byDefault: string, description: string) =>
  Type.String({
    default: byDefault,
    description,
    pattern: rateLimitPattern,
    expectation: rateLimitForm,
  })
