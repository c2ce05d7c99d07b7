import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../config.ts'
import { OAuthError } from '../oauth/error.ts'
import type { Problem } from '../oauth/problem.ts'
import type { CsrfTokens } from '../secrets/csrf-token.ts'
import { randomToken } from '../secrets/random.ts'
import { isMessageKey, say } from '../views/messages.ts'
import type { PageData, PageName } from '../views/page-data.ts'
import { createViews, type Views } from '../views/pages.ts'
import { basePathOf } from './base-path.ts'
import { browsersOf } from './browsers.ts'
import { createFormGuard, type FormGuard } from './form-guard.ts'
import { formTargetOf } from './form-target.ts'
import { languageOf } from './language.ts'
import { pageHeaders } from './security-headers.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The pages that people see; absent where there are none. */
    pages?: Pages
  }
}

export type SendOptions = {
  /** Default 200. */
  readonly status?: number
  /** Languages that the client asked for. */
  readonly uiLocales?: readonly string[]
  /** The verified redirect URI to which the answer to a form of the page may lead. */
  readonly formTarget?: string
  /** Origin of a picture that is not ours. */
  readonly imageOrigin?: string
  /** The page leaves for another site by itself, and has no form of ours. */
  readonly leaves?: boolean
}

export type Pages = FormGuard & {
  readonly basePath: string
  readonly stylesheets: Views['stylesheets']
  /** Answers with a page, with a CSRF token for its forms and a policy that fits it. */
  send<Page extends PageName>(
    request: FastifyRequest,
    reply: FastifyReply,
    page: Page,
    data: PageData[Page],
    options?: SendOptions,
  ): FastifyReply
  /** Answers with the page that tells of an error; status and headers are the error's. */
  sendError(request: FastifyRequest, reply: FastifyReply, error: Problem | OAuthError): FastifyReply
}

type Options = {
  readonly config: Pick<Config, 'issuer' | 'templatesDir'>
  readonly csrfTokens: CsrfTokens
}

/** @throws {TemplateError} when the folder of templates cannot be used */
export const registerPages = (app: FastifyInstance, { config, csrfTokens }: Options): void => {
  const basePath = basePathOf(config.issuer)
  const views = createViews(basePath, config.templatesDir)
  const guard = createFormGuard(config.issuer, browsersOf(app), csrfTokens)

  const send: Pages['send'] = (request, reply, page, data, options = {}) => {
    const nonce = randomToken(16)
    const own = options.leaves ? {} : { csrfToken: guard.issueToken(request, reply) }
    const language = languageOf(request, options.uiLocales)
    return reply
      .code(options.status ?? 200)
      .headers(headersOf(options, nonce))
      .header('content-language', language)
      .header('vary', 'Accept-Language, Cookie, Origin')
      .type('text/html; charset=utf-8')
      .send(views.render(page, data, { ...own, language, nonce }))
  }

  app.decorate('pages', {
    ...guard,
    basePath,
    stylesheets: views.stylesheets,
    send,
    sendError(request, reply, error) {
      const { retryAfterSeconds } = error instanceof OAuthError ? error : error.options
      if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds))
      const data = errorData(request, basePath, error)
      // No form stands on it, and cookies may not have been read yet.
      return send(request, reply, 'error', data, { status: error.status, leaves: true })
    },
  })
}

const headersOf = ({ formTarget, imageOrigin, leaves }: SendOptions, nonce: string) => {
  const target = formTarget === undefined ? [] : [formTargetOf(formTarget)]
  return {
    ...pageHeaders({
      'connect-src': "'none'",
      'form-action': [...(leaves ? [] : ["'self'"]), ...target].join(' ') || "'none'",
      'img-src': ["'self'", 'data:', ...(imageOrigin === undefined ? [] : [imageOrigin])].join(' '),
      'script-src': leaves && formTarget !== undefined ? `'nonce-${nonce}'` : "'none'",
    }),
    // With no-referrer a browser sends the form of our own page with `Origin: null`.
    'referrer-policy': 'same-origin',
    'cache-control': 'no-store',
  }
}

const errorData = (
  request: FastifyRequest,
  basePath: string,
  error: Problem | OAuthError,
): PageData['error'] => {
  const key = `error.${error.code}`
  return {
    code: error.code,
    text: say(languageOf(request), isMessageKey(key) ? key : 'error.other'),
    ...(error instanceof OAuthError ? { description: error.description } : {}),
    requestId: request.id,
    homeHref: `${basePath}/account`,
  }
}

/** @throws {TypeError} where there are none: a mistake of the program */
export const pagesOf = (app: FastifyInstance): Pages => {
  if (app.pages === undefined) throw new TypeError('no pages are shown here')
  return app.pages
}
