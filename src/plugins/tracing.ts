import { FastifyOtelInstrumentation } from '@fastify/otel'
import type { FastifyInstance } from 'fastify'
import { startTracing } from '../observability/tracing.ts'

/**
 * One span for each request, sent to an OpenTelemetry collector. It names the pattern of the route,
 * never the address or anything else that a request brings.
 * @param endpoint base URL of an OTLP/HTTP collector.
 */
export const registerTracing = async (app: FastifyInstance, endpoint: string): Promise<void> => {
  const tracing = startTracing(endpoint)
  const instrumentation = new FastifyOtelInstrumentation({
    instrumentHooks: false,
    instrumentHandler: false,
    recordExceptions: false,
    requestHook: (span, request) => {
      const route = request.routeOptions.url
      span.updateName(route === undefined ? request.method : `${request.method} ${route}`)
      // By itself it would be the address, with its query.
      span.setAttribute('url.path', route ?? '')
      span.setAttribute('tessera.request_id', request.id)
    },
  })
  instrumentation.setTracerProvider(tracing.provider)
  await app.register(instrumentation.plugin())
  app.addHook('onClose', () => tracing.close())
}
