import { negotiate } from '@fastify/accept-negotiator'
import type { FastifyRequest } from 'fastify'
import { type Language, languages } from '../views/messages.ts'

/**
 * The language of a page: what the client asked for (`ui_locales`), else what the browser accepts
 * (RFC 9110 §12.5.4), else English. Regions do not count.
 */
export const languageOf = (
  request: FastifyRequest,
  uiLocales: readonly string[] = [],
): Language => {
  const asked = uiLocales.map(withoutRegion).find(isLanguage)
  if (asked !== undefined) return asked
  const accepted = request.headers['accept-language']?.slice(0, 500)
  const header = accepted?.split(',').map((range) => range.trim().replace(region, '$1'))
  const found = header && negotiate(header.join(',').toLowerCase(), [...languages])
  return isLanguage(found) ? found : languages[0]
}

const region = /^([a-z]{2,3})(?:-[a-z0-9]+)+/i
const withoutRegion = (tag: string): string => tag.split('-', 1)[0]?.toLowerCase() ?? ''
const isLanguage = (text: unknown): text is Language =>
  (languages as readonly unknown[]).includes(text)
