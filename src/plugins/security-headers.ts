import type { FastifyInstance } from 'fastify'

/** For answers that are data: nothing may be loaded, framed or run. */
const dataPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/**
 * Headers of every answer, a refused connection's included. Nothing is stored by caches unless a
 * route says so. They are the same for all requests, so they are made once.
 * @param issuer only an https issuer asks browsers to insist on https (RFC 6797 §7.2)
 */
export const securityHeaders = (issuer: string): Readonly<Record<string, string>> => ({
  'cache-control': 'no-store',
  'content-security-policy': dataPolicy,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-frame-options': 'DENY',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
  ...(issuer.startsWith('https:')
    ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' }
    : {}),
})

export const registerSecurityHeaders = (app: FastifyInstance, issuer: string): void => {
  const headers = securityHeaders(issuer)
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers)
    done()
  })
}

/**
 * The policy of a page of ours: its own files only, no inline code, no frames. Plain http stays
 * plain: `upgrade-insecure-requests` would break a page on a local network.
 */
export const pagePolicy = (extra: Readonly<Record<string, string>> = {}): string =>
  Object.entries({
    'default-src': "'none'",
    'base-uri': "'none'",
    'connect-src': "'self'",
    'form-action': "'self'",
    'frame-ancestors': "'none'",
    'img-src': "'self'",
    'script-src': "'self'",
    'style-src': "'self'",
    ...extra,
  })
    .map(([directive, sources]) => `${directive} ${sources}`)
    .join('; ')
