import cors, { type FastifyCorsOptions } from '@fastify/cors'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Client } from '../clients/client.ts'
import { pathOf, type RouteTable } from './route-table.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** For clients of all kinds, whose own origins may read the answers. */
    forClients?: boolean
  }
  interface FastifyRequest {
    /** Which client asks, once that is known: then only its origins count. */
    client?: Pick<Client, 'corsOrigins'>
  }
}

/** Origins that may read answers; exact, such as https://app.example. */
export type PermittedOrigins = {
  /** Everywhere. */
  readonly all: ReadonlySet<string>
  /** Whether it is one of any client. */
  isOfClient(origin: string): boolean
}

const exposedHeaders = [
  ...['DPoP-Nonce', 'ETag', 'RateLimit', 'RateLimit-Policy', 'Retry-After', 'WWW-Authenticate'],
  'X-Request-Id',
]

const shared: FastifyCorsOptions = {
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  allowedHeaders: [
    ...['Accept', 'Authorization', 'Content-Type', 'DPoP', 'If-None-Match', 'X-CSRF-Token'],
    'X-Request-Id',
  ],
  exposedHeaders,
  maxAge: 600,
  strictPreflight: false,
}

/**
 * Lets the scripts of the permitted origins, and of no others, read every answer, refusals included
 * (Fetch §3.3); public data may be read by all, but without cookies. A preflight names no client,
 * and is answered for the origins of all of them.
 */
export const registerCrossOrigin = (
  app: FastifyInstance,
  origins: PermittedOrigins,
  routes: RouteTable,
): void => {
  // A preflight reaches no route, so the one that it asks about is looked up.
  const isPublic = ({ method, url, routeOptions }: FastifyRequest): boolean | undefined =>
    method === 'OPTIONS' ? routes.find(pathOf(url))?.publicData : routeOptions.config.publicData
  const policyFor = (request: FastifyRequest): FastifyCorsOptions => {
    // What caches may keep permits everyone always, whoever asks first.
    if (isPublic(request)) return { ...shared, origin: '*' }
    const { origin } = request.headers
    return origin !== undefined && isPermitted(request, origin, origins)
      ? { ...shared, origin, credentials: true }
      : { origin: false }
  }
  app.register(cors, {
    delegator: (request, done) => done(null, policyFor(request)),
  })
  app.addHook('onSend', async (request, reply) => {
    const { origin } = request.headers
    if (origin === undefined || request.client === undefined || origins.all.has(origin)) return
    if (!request.client.corsOrigins.includes(origin)) withdrawPermission(reply)
  })
}

const isPermitted = (
  { method, is404, routeOptions }: FastifyRequest,
  origin: string,
  { all, isOfClient }: PermittedOrigins,
): boolean => {
  if (all.has(origin)) return true
  const mayBeClients = method === 'OPTIONS' || is404 || routeOptions.config.forClients === true
  return mayBeClients && isOfClient(origin)
}

const withdrawPermission = (reply: FastifyReply): void => {
  for (const name of ['origin', 'credentials']) reply.removeHeader(`access-control-allow-${name}`)
}

/** The same for answers outside of all hooks. */
export const permissionHeaders = (
  origin: string | undefined,
  { all, isOfClient }: PermittedOrigins,
): Record<string, string> => ({
  vary: 'Origin',
  ...(origin !== undefined && (all.has(origin) || isOfClient(origin))
    ? {
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        'access-control-expose-headers': exposedHeaders.join(', '),
      }
    : {}),
})
