import type { FastifyInstance } from 'fastify'
import type { AnsweredRequest } from '../observability/metrics.ts'

/** Tells of every answered request, by the pattern of its route and never by its address. */
export const registerRequestMetrics = (
  app: FastifyInstance,
  observe: (request: AnsweredRequest) => void,
): void => {
  app.addHook('onResponse', (request, reply, done) => {
    observe({
      method: request.method,
      route: request.routeOptions.url,
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
    })
    done()
  })
}
