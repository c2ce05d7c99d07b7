import type { FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../oauth/problem.ts'
import type { CsrfTokens } from '../secrets/csrf-token.ts'
import type { Browsers } from './browsers.ts'

/** Tells forms of our own pages from those that another site has a browser send. */
export type FormGuard = {
  /** The token for the forms of a page; it belongs to the browser that the page is shown in. */
  issueToken(request: FastifyRequest, reply: FastifyReply): string
  /**
   * To be called before anything is done for a form.
   * @throws {Problem} `untrusted_origin`, `invalid_csrf_token`
   */
  requireOwnForm(request: FastifyRequest): Promise<void>
}

export const createFormGuard = (
  issuer: string,
  browsers: Pick<Browsers, 'secretOf' | 'knownSecretOf'>,
  csrfTokens: Pick<CsrfTokens, 'issue' | 'isGenuine'>,
): FormGuard => {
  const ownOrigin = new URL(issuer).origin
  const contextOf = (secret: string) => `browser ${secret}`

  return {
    issueToken: (request, reply) => csrfTokens.issue(contextOf(browsers.secretOf(request, reply))),
    async requireOwnForm(request) {
      if (!isSameOrigin(request, ownOrigin)) throw new Problem('untrusted_origin')
      const secret = browsers.knownSecretOf(request)
      const token = tokenIn(request.body)
      const genuine =
        secret !== undefined &&
        token !== undefined &&
        (await csrfTokens.isGenuine(token, contextOf(secret)))
      if (!genuine) throw new Problem('invalid_csrf_token')
    },
  }
}

/** A browser names the origin of whatever it posts; a program names none. */
const isSameOrigin = ({ headers }: FastifyRequest, ownOrigin: string): boolean => {
  const { origin } = headers
  if (origin !== undefined) return origin === ownOrigin
  const site = headers['sec-fetch-site'] ?? 'none'
  return site === 'none' || site === 'same-origin'
}

// The body is a form of any fields.
const tokenIn = (body: unknown): string | undefined => {
  const token = (body as Readonly<Record<string, unknown>> | undefined)?.csrf_token
  return typeof token === 'string' ? token : undefined
}
