import type { FastifyInstance } from 'fastify'
import { Problem } from '../oauth/problem.ts'
import { decodeUtf8, isWellFormedText, toPrintableName } from '../oauth/text.ts'
import { requirePlainUtf8 } from './body-coding.ts'

/** The parameters of a form; no prototype, no empty values. Repeatable ones are always lists. */
export type FormBody = Record<string, string | string[]>

/** Names of parameters. */
export type Names = { includes(name: string): boolean }

/**
 * Makes a scope take forms and nothing else (415), strictly: UTF-8 throughout, every parameter at
 * most once, an empty value is none (OAuth 2.1 §3.2). A request without a body is an empty form.
 * @param repeatable parameters that may come several times, as `resource` may (RFC 8707 §2)
 */
export const registerFormBody = (app: FastifyInstance, repeatable: Names = []): void => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer' },
    (request, bytes, done) => {
      try {
        requirePlainUtf8(request)
        done(null, parseForm(bytes as Buffer, repeatable))
      } catch (error) {
        done(error as Error)
      }
    },
  )
  app.addHook('preValidation', (request, _reply, done) => {
    request.body ??= parseForm(Buffer.alloc(0))
    done()
  })
}

/**
 * Reads `application/x-www-form-urlencoded` (WHATWG URL §5.1), but refuses what that repairs.
 * @throws {Problem} `malformed_body` for bytes or escapes that are not UTF-8 text, `validation` for
 *   a repeated parameter.
 */
export const parseForm = (bytes: Uint8Array, repeatable: Names = []): FormBody => {
  const form: FormBody = Object.create(null)
  const seen = new Set<string>()
  for (const pair of (decodeUtf8(bytes) ?? malformed()).split('&')) {
    if (pair === '') continue
    const [name, value] = splitPair(pair)
    const isRepeatable = repeatable.includes(name)
    if (seen.has(name) && !isRepeatable) throw repeated(name)
    seen.add(name)
    if (value === '') continue
    const list = form[name]
    if (Array.isArray(list)) list.push(value)
    else form[name] = isRepeatable ? [value] : value
  }
  return form
}

const splitPair = (pair: string): readonly [string, string] => {
  const equals = pair.indexOf('=')
  return equals === -1
    ? [decode(pair), '']
    : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))]
}

// Most of what arrives stands for itself.
const needsDecoding = /[%+\0]/

const decode = (text: string): string => {
  if (!needsDecoding.test(text)) return text
  try {
    const decoded = decodeURIComponent(text.replaceAll('+', ' '))
    return isWellFormedText(decoded) ? decoded : malformed()
  } catch (error) {
    throw error instanceof Problem ? error : malformed(error)
  }
}

const malformed = (cause?: unknown): never => {
  throw new Problem('malformed_body', { detail: 'The form is not valid UTF-8 text', cause })
}

const repeated = (name: string): Problem =>
  new Problem('validation', {
    fields: [{ field: toPrintableName(name), message: 'must not be repeated' }],
  })
