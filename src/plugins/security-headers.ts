import helmet from '@fastify/helmet'
import Fastify, { type FastifyInstance } from 'fastify'

/** For answers that are data: nothing may be loaded, framed or run. */
const dataPolicy = {
  'default-src': "'none'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
}

const formatPolicy = (directives: Readonly<Record<string, string>>): string =>
  Object.entries(directives)
    .map(([directive, sources]) => `${directive} ${sources}`)
    .join(';')

const hsts = { maxAge: 31_536_000, includeSubDomains: true }

// Only an https issuer asks browsers to insist on https (RFC 6797 §7.2).
const isHttps = (issuer: string): boolean => issuer.startsWith('https:')

/**
 * Headers of every answer. Nothing is stored by caches unless a route says so. Helmet decides them
 * once: they are the same for all requests, and it would make them anew for each.
 */
export const registerSecurityHeaders = (app: FastifyInstance, issuer: string): void => {
  let headers = bareSecurityHeaders(issuer)
  app.addHook('onReady', async () => {
    headers = { ...(await askHelmet(issuer)), 'cache-control': 'no-store' }
  })
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers)
    done()
  })
}

/** What helmet adds to an answer that has nothing of its own. */
const askHelmet = async (issuer: string): Promise<Record<string, string>> => {
  const plain = Fastify()
  await plain.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: dataPolicy },
    frameguard: { action: 'deny' },
    hsts: isHttps(issuer) && hsts,
    referrerPolicy: { policy: 'no-referrer' },
  })
  plain.get('/', async () => '')
  const { headers } = await plain.inject('/')
  await plain.close()
  const ofTheAnswer = ['content-length', 'content-type', 'connection', 'date']
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      ofTheAnswer.includes(name) ? [] : [[name, String(value)]],
    ),
  )
}

/** The same for answers that are made outside of all hooks, such as that to a broken request line. */
export const bareSecurityHeaders = (issuer: string): Readonly<Record<string, string>> => ({
  'cache-control': 'no-store',
  'content-security-policy': formatPolicy(dataPolicy),
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  ...(isHttps(issuer)
    ? { 'strict-transport-security': `max-age=${hsts.maxAge}; includeSubDomains` }
    : {}),
})

/**
 * What a page needs beside the headers of every answer; for data a browser ignores it.
 * @param sources what the page may load apart from its own files, by CSP directive
 */
export const pageHeaders = (sources: Readonly<Record<string, string>> = {}) => ({
  'content-security-policy': pagePolicy(sources),
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
})

/**
 * The policy of a page of ours: its own files only, no inline code, no frames. Plain http stays
 * plain: `upgrade-insecure-requests` would break a page on a local network.
 */
const pagePolicy = (sources: Readonly<Record<string, string>>): string =>
  formatPolicy({
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
