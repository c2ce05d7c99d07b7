import type { FastifyRequest } from 'fastify'
import { Problem } from '../oauth/problem.ts'
import type { CsrfTokens } from '../secrets/csrf-token.ts'

/**
 * Tells requests of our own front ends from those that another site has a browser make. Not by
 * @fastify/csrf-protection: it takes its key once at start, where ours change, and its tokens belong
 * to a cookie of their own, where ours belong to the session.
 */
export type ForgeryGuard = {
  /** Whether the request comes from an allowed origin, or from no browser. */
  isTrusted(request: FastifyRequest): boolean
  /**
   * For whatever gives cookies, so that no other site signs a browser in.
   * @throws {Problem} `untrusted_origin`
   */
  requireTrusted(request: FastifyRequest): void
  /**
   * For whatever changes something by the right of a cookie.
   * @param familyId whom the cookie belongs to
   * @throws {Problem} `untrusted_origin`, `invalid_csrf_token`
   */
  requireNoForgery(request: FastifyRequest, familyId: string | undefined): Promise<void>
}

/** @param origins exact, such as https://app.example; our own among them */
export const createForgeryGuard = (
  origins: ReadonlySet<string>,
  tokens: Pick<CsrfTokens, 'isGenuine'>,
): ForgeryGuard => {
  const isTrusted = ({ headers }: FastifyRequest): boolean => {
    const { origin } = headers
    if (origin !== undefined) return origins.has(origin)
    // Browsers name the origin with all that may change something; programs name nothing at all.
    const site = headers['sec-fetch-site'] ?? 'none'
    return site === 'none' || site === 'same-origin'
  }

  const requireTrusted = (request: FastifyRequest): void => {
    if (!isTrusted(request)) throw new Problem('untrusted_origin')
  }

  return {
    isTrusted,
    requireTrusted,
    async requireNoForgery(request, familyId) {
      requireTrusted(request)
      const token = request.headers['x-csrf-token']
      const genuine =
        typeof token === 'string' &&
        familyId !== undefined &&
        (await tokens.isGenuine(token, familyId))
      if (!genuine) throw new Problem('invalid_csrf_token')
    },
  }
}
