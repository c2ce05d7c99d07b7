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
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
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
 * What a page needs beside the headers of every answer; for data a browser ignores it.
 * @param sources what the page may load apart from its own files, by CSP directive
 */
export const pageHeaders = (sources: Readonly<Record<string, string>> = {}) => ({
  'content-security-policy': pagePolicy(sources),
  'cross-origin-opener-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
})

/**
 * The policy of a page of ours: its own files only, no inline code, no frames. Plain http stays
 * plain: `upgrade-insecure-requests` would break a page on a local network.
 */
const pagePolicy = (sources: Readonly<Record<string, string>>): string =>
  Object.entries({
    'default-src': "'none'",
    'base-uri': "'none'",
    'connect-src': "'self'",
    'form-action': "'self'",
    'frame-ancestors': "'none'",
    'img-src': "'self'",
    'script-src': "'self'",
    'style-src': "'self'",
    ...sources,
  })
    .map(([directive, allowed]) => `${directive} ${allowed}`)
    .join('; ')
