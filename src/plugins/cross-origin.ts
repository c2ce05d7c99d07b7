import type { FastifyInstance, FastifyReply } from 'fastify'
import { pathOf, type RouteTable } from './route-table.ts'

const exposed = {
  'access-control-expose-headers': 'ETag, Retry-After, WWW-Authenticate, X-Request-Id',
}
const everyone = { ...exposed, 'access-control-allow-origin': '*' }

const preflight = {
  'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
  'access-control-allow-headers':
    'Accept, Authorization, Content-Type, If-None-Match, X-Request-Id',
  'access-control-max-age': '600',
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
  const permissions = new Map(origins.map((origin) => [origin, permissionOf(origin)]))
  const permit = (origin: string, isPublic: boolean, reply: FastifyReply): boolean => {
    const permission = isPublic ? everyone : permissions.get(origin)
    if (!isPublic) reply.header('vary', 'Origin')
    if (permission !== undefined) reply.headers(permission)
    return permission !== undefined
  }

  app.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers
    // Without one it is no script of another origin; what caches may keep is public data alone.
    if (origin === undefined) {
      if (request.routeOptions.config.publicData) reply.headers(everyone)
      done()
      return
    }
    const isPublic = routes.find(pathOf(request.url))?.publicData ?? false
    const isPermitted = permit(origin, isPublic, reply)
    if (isPermitted && request.method === 'OPTIONS') reply.code(204).headers(preflight).send()
    else done()
  })
}

const permissionOf = (origin: string) => ({
  ...exposed,
  'access-control-allow-origin': origin,
  'access-control-allow-credentials': 'true',
})
