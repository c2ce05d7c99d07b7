import { promisify } from 'node:util'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from '../oauth/problem.ts'
import { decodeUtf8, isWellFormedText, toPrintableName } from '../oauth/text.ts'
import { requirePlainUtf8 } from './body-coding.ts'
import type { Field } from './validation-fields.ts'

/** Nothing that is asked for here nests deeper than a handful of levels. */
export const maximumJsonDepth = 32

/**
 * Makes JSON bodies strict: UTF-8, bounded depth, text without NUL or lone surrogates, no
 * `__proto__` or `constructor` tricks. Of a member that is given twice the last one counts
 * everywhere, because there is only this one reader. An empty body is no body.
 */
export const registerJsonBody = (app: FastifyInstance): void => {
  const parse = promisify(app.getDefaultJsonParser('error', 'error'))
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, bytes: Buffer) => {
      if (bytes.length === 0) return undefined
      requirePlainUtf8(request)
      const text = decodeUtf8(bytes)
      if (text === undefined) throw malformed('The body is not valid UTF-8')
      return checkBody(await parse(request, text))
    },
  )
}

const malformed = (detail: string): Problem => new Problem('malformed_body', { detail })

const checkBody = (body: unknown): unknown => {
  if (!isShallow(body, maximumJsonDepth)) throw malformed('The body is nested too deeply')
  const fields: Field[] = []
  collectIllFormed(body, '', fields)
  if (fields.length > 0) throw new Problem('validation', { fields: fields.slice(0, 20) })
  return body
}

const isShallow = (value: unknown, depth: number): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (depth > 0 && Object.values(value).every((item) => isShallow(item, depth - 1)))

const collectIllFormed = (value: unknown, path: string, fields: Field[]): void => {
  if (typeof value === 'string' && !isWellFormedText(value)) {
    fields.push({ field: path || 'body', message: 'has characters that are not allowed' })
  }
  if (typeof value !== 'object' || value === null) return
  for (const [name, item] of Object.entries(value)) {
    const here = path === '' ? toPrintableName(name) : `${path}.${toPrintableName(name)}`
    if (!isWellFormedText(name)) fields.push({ field: here, message: 'is not a name of a member' })
    collectIllFormed(item, here, fields)
  }
}
