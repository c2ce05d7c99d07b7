import type { FastifyRequest } from 'fastify'
import { Problem } from '../oauth/problem.ts'

/**
 * Refuses a body that says of itself that it is something else than plain UTF-8: read as such it
 * would mean what its sender did not write (RFC 9110 §8.3.2, §8.4).
 * @throws {Problem} `unsupported_media_type`
 */
export const requirePlainUtf8 = ({ headers }: Pick<FastifyRequest, 'headers'>): void => {
  const coding = headers['content-encoding']
  if (coding !== undefined && coding.toLowerCase() !== 'identity') {
    throw unsupported('A body with a Content-Encoding is not supported')
  }
  if (!charsetsOf(headers['content-type']).every(isUtf8)) {
    throw unsupported('The charset must be utf-8')
  }
}

const unsupported = (detail: string): Problem => new Problem('unsupported_media_type', { detail })

const charsetsOf = (contentType = ''): string[] =>
  contentType
    .split(';')
    .slice(1)
    .map((parameter) => parameter.split('='))
    .filter(([name = '']) => name.trim().toLowerCase() === 'charset')
    .map(([, ...value]) => value.join('=').trim())

// Without the hyphen it is not registered, but it is common, and means the same (WHATWG Encoding).
const isUtf8 = (charset: string): boolean => /^(?:utf-?8|"utf-?8")$/i.test(charset)
