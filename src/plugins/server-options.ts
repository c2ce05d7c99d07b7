import { type FastifyBaseLogger, type FastifyServerOptions, LogController } from 'fastify'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { answerClientError } from './client-error.ts'
import { type PermittedOrigins, permissionHeaders } from './cross-origin.ts'
import { sendError } from './error-handler.ts'
import { lazySerializers } from './lazy-serializers.ts'
import { logRequest, requestIdOf } from './request-log.ts'
import { bareSecurityHeaders } from './security-headers.ts'

export type ServerConfig = Pick<
  Config,
  'issuer' | 'corsOrigins' | 'trustedProxies' | 'bodyLimitBytes' | 'requestTimeoutMs'
>

/** How large and how slow a request may be, and what answers those that reach no route. */
export const serverOptions = (
  config: ServerConfig,
  logger: Logger,
  origins: PermittedOrigins,
): FastifyServerOptions => ({
  loggerInstance: logger as FastifyBaseLogger,
  logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
  genReqId: requestIdOf,
  requestIdHeader: false,
  trustProxy: config.trustedProxies.length === 0 ? false : [...config.trustedProxies],
  ...limits(config),
  forceCloseConnections: 'idle',
  // What arrives on a connection that is still open while closing is answered, not refused.
  return503OnClosing: false,
  ajv: {
    customOptions: {
      // Every wrong member is named; the body limit bounds the work, toFields the answer.
      allErrors: true,
      coerceTypes: false,
      removeAdditional: false,
      // They are made by TypeBox and checked by the tests; checking them again took 0.1 s of a start.
      validateSchema: false,
    },
  },
  schemaController: { compilersFactory: { buildSerializer: lazySerializers } },
  ...refusals(config.issuer, logger, origins),
})

const limits = ({ bodyLimitBytes, requestTimeoutMs }: ServerConfig) => ({
  bodyLimit: bodyLimitBytes,
  requestTimeout: requestTimeoutMs,
  connectionTimeout: 60_000,
  // Longer than the idle time of the usual balancers, so that they hang up first.
  keepAliveTimeout: 72_000,
  http: {
    headersTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(requestTimeoutMs, 5_000),
  },
})

// These run outside of all hooks, so the headers of every answer are set here once more.
const refusals = (issuer: string, logger: Logger, origins: PermittedOrigins) => {
  const headers = bareSecurityHeaders(issuer)
  return {
    frameworkErrors: (error, request, reply) => {
      const permission = permissionHeaders(request.headers.origin, origins)
      reply.headers({ ...headers, ...permission, 'x-request-id': request.id })
      sendError(error, request, reply, 'problem')
      logRequest(request, reply)
    },
    clientErrorHandler: (error, socket) => {
      logger.debug({ code: error.code }, 'connection refused')
      answerClientError(error, socket, headers)
    },
  } satisfies FastifyServerOptions
}
