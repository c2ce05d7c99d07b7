import cors, { type FastifyCorsOptions } from '@fastify/cors'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { pathOf, type RouteTable } from './route-table.ts'

const shared: FastifyCorsOptions = {
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  allowedHeaders: [
    'Accept',
    'Authorization',
    'Content-Type',
    'If-None-Match',
    'X-CSRF-Token',
    'X-Request-Id',
  ],
  exposedHeaders: [
    ...['ETag', 'RateLimit', 'RateLimit-Policy', 'Retry-After', 'WWW-Authenticate'],
    'X-Request-Id',
  ],
  maxAge: 600,
  strictPreflight: false,
}

/**
 * Lets the scripts of the named origins, and of no others, read every answer, refusals included
 * (Fetch §3.3); public data may be read by all, but without cookies.
 * @param origins exact, such as https://app.example
 */
export const registerCrossOrigin = (
  app: FastifyInstance,
  origins: readonly string[],
  routes: RouteTable,
): void => {
  const allowed = new Set(origins)
  // A preflight reaches no route, so the one that it asks about is looked up.
  const isPublic = ({ method, url, routeOptions }: FastifyRequest): boolean | undefined =>
    method === 'OPTIONS' ? routes.find(pathOf(url))?.publicData : routeOptions.config.publicData
  const policyFor = (request: FastifyRequest): FastifyCorsOptions => {
    // What caches may keep permits everyone always, whoever asks first.
    if (isPublic(request)) return { ...shared, origin: '*' }
    const { origin } = request.headers
    return origin !== undefined && allowed.has(origin)
      ? { ...shared, origin, credentials: true }
      : { origin: false }
  }
  app.register(cors, {
    delegator: (request, done) => done(null, policyFor(request)),
  })
}
