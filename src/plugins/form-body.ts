import type { FastifyInstance } from 'fastify'
import { Problem } from '../oauth/problem.ts'
import { decodeUtf8, isWellFormedText, toPrintableName } from '../oauth/text.ts'

/** The parameters of a form; no prototype, no empty values. Repeatable ones are always lists. */
export type FormBody = Record<string, string | string[]>

/**
 * Makes a scope take forms and nothing else (415), strictly: UTF-8 throughout, every parameter at
 * most once, an empty value is none (OAuth 2.1 §3.2). A request without a body is an empty form.
 * @param repeatable parameters that may come several times, as `resource` may (RFC 8707 §2)
 */
export const registerFormBody = (
  app: FastifyInstance,
  repeatable: readonly string[] = [],
): void => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer' },
    async (_request: unknown, bytes: Buffer) => parseForm(bytes, repeatable),
  )
  app.addHook('preValidation', async (request) => {
    request.body ??= parseForm(Buffer.alloc(0))
  })
}

/**
 * Reads `application/x-www-form-urlencoded` (WHATWG URL §5.1), but refuses what that repairs.
 * @throws {Problem} `malformed_body` for bytes or escapes that are not UTF-8 text, `validation` for
 *   a repeated parameter.
 */
export const parseForm = (bytes: Uint8Array, repeatable: readonly string[] = []): FormBody => {
  const parameters = new Map<string, string[]>()
  for (const pair of (decodeUtf8(bytes) ?? malformed()).split('&')) {
    if (pair === '') continue
    const [name, value] = splitPair(pair)
    const values = parameters.get(name) ?? []
    if (values.length > 0 && !repeatable.includes(name)) throw repeated(name)
    values.push(value)
    parameters.set(name, values)
  }
  const form: FormBody = Object.create(null)
  for (const [name, values] of parameters) {
    const given = values.filter((value) => value !== '')
    const [first] = given
    if (first !== undefined) form[name] = repeatable.includes(name) ? given : first
  }
  return form
}

const splitPair = (pair: string): readonly [string, string] => {
  const equals = pair.indexOf('=')
  return equals === -1
    ? [decode(pair), '']
    : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))]
}

const decode = (text: string): string => {
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
