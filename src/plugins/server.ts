import Fastify, { type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { ClientOrigins } from '../clients/origin-directory.ts'
import { registerCrossOrigin } from './cross-origin.ts'
import { registerErrorHandler } from './error-handler.ts'
import { registerGracefulClose } from './graceful-close.ts'
import { registerJsonBody } from './json-body.ts'
import { registerNotFound } from './not-found.ts'
import { registerRequestLog } from './request-log.ts'
import { collectRoutes } from './route-table.ts'
import { registerSecurityHeaders } from './security-headers.ts'
import { type ServerConfig, serverOptions } from './server-options.ts'
import { registerSingletonHeaders } from './singleton-headers.ts'
import { registerUrlLimit } from './url-limit.ts'

/**
 * A Fastify application with all that holds for every request, in this order, and no routes.
 * @param clientOrigins origins of web pages of any client
 */
export const createServer = (
  config: ServerConfig,
  logger: Logger,
  clientOrigins: Pick<ClientOrigins, 'has'> = { has: () => false },
): FastifyInstance => {
  const origins = { all: new Set(config.corsOrigins), isOfClient: clientOrigins.has }
  const app = Fastify(serverOptions(config, logger, origins))
  const routes = collectRoutes(app)
  registerGracefulClose(app)
  registerRequestLog(app)
  registerSecurityHeaders(app, config.issuer)
  registerCrossOrigin(app, origins, routes)
  registerUrlLimit(app)
  registerSingletonHeaders(app)
  registerErrorHandler(app)
  registerJsonBody(app)
  registerNotFound(app, routes)
  return app
}
