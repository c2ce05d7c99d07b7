import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { randomId } from '../secrets/random.ts'
import { addressOf } from './request-origin.ts'

const acceptableId = /^[A-Za-z0-9._-]{1,128}$/

/** The caller's `X-Request-Id` if it is short and plain, else a fresh one. */
export const requestIdOf = (request: IncomingMessage): string => {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && acceptableId.test(given) ? given : randomId()
}

/** Tells every caller the request's id, and writes one line for every request. */
export const registerRequestLog = (app: FastifyInstance): void => {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    logRequest(request, reply)
    done()
  })
}

/**
 * The line of a request: the route's pattern instead of the address, because an address or a query
 * may carry what must not be logged. Probes of the health are at level debug.
 */
export const logRequest = (request: FastifyRequest, reply: FastifyReply): void => {
  const route = request.routeOptions.url ?? null
  const line = {
    method: request.method,
    route,
    status: reply.statusCode,
    milliseconds: Math.round(reply.elapsedTime * 100) / 100,
    address: addressOf(request),
    ...request.refusal,
  }
  if (route?.startsWith('/health/')) request.log.debug(line, 'request')
  else request.log.info(line, 'request')
}
