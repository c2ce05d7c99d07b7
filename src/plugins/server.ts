import Fastify, { type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { registerCrossOrigin } from './cross-origin.ts'
import { registerErrorHandler } from './error-handler.ts'
import { registerGracefulClose } from './graceful-close.ts'
import { registerJsonBody } from './json-body.ts'
import { registerNotFound } from './not-found.ts'
import { registerRequestLog } from './request-log.ts'
import { collectRoutes } from './route-table.ts'
import { registerSecurityHeaders } from './security-headers.ts'
import { type ServerConfig, serverOptions } from './server-options.ts'
import { registerUrlLimit } from './url-limit.ts'

/** A Fastify application with all that holds for every request, in this order, and no routes. */
export const createServer = (config: ServerConfig, logger: Logger): FastifyInstance => {
  const app = Fastify(serverOptions(config, logger))
  const routes = collectRoutes(app)
  registerGracefulClose(app)
  registerRequestLog(app)
  registerSecurityHeaders(app, config.issuer)
  registerCrossOrigin(app, config.corsOrigins, routes)
  registerUrlLimit(app)
  registerErrorHandler(app)
  registerJsonBody(app)
  registerNotFound(app, routes)
  return app
}
