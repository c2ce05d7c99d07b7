import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import type { Deps } from './deps.ts'
import { adminEndpoints } from './endpoints/admin/index.ts'
import { auditEventSchema } from './endpoints/audit-schema.ts'
import { authEndpoints } from './endpoints/auth/index.ts'
import { describeRoutes, documentation } from './endpoints/documentation.ts'
import { health } from './endpoints/health.ts'
import { home } from './endpoints/home.ts'
import { oauthEndpoints } from './endpoints/oauth/index.ts'
import { oauthErrorSchema } from './endpoints/oauth/oauth-error-schema.ts'
import { pageEndpoints } from './endpoints/pages/index.ts'
import { problemSchema } from './endpoints/problem-schema.ts'
import { jwks } from './endpoints/well-known/jwks.ts'
import { metadata } from './endpoints/well-known/metadata.ts'
import { basePathOf } from './plugins/base-path.ts'
import { registerBrowserSessions } from './plugins/browser-sessions.ts'
import { registerBrowsers } from './plugins/browsers.ts'
import { registerClientCertificate } from './plugins/client-certificate.ts'
import { registerDraining } from './plugins/graceful-close.ts'
import { registerOverload } from './plugins/overload.ts'
import { registerPages } from './plugins/pages.ts'
import { registerPossession } from './plugins/possession.ts'
import { registerRateLimit } from './plugins/rate-limit.ts'
import { registerRefusalAudit } from './plugins/refusal-audit.ts'
import { registerRequestMetrics } from './plugins/request-metrics.ts'
import { createServer } from './plugins/server.ts'

/**
 * The service as a Fastify application that is ready but not listening: what holds for every
 * request, then the endpoints. Those at the root come first, all others below the issuer's path.
 */
export const buildApp = async (deps: Deps): Promise<FastifyInstance> => {
  const { config, logger } = deps
  const app = createServer(
    config,
    logger,
    deps.clientOrigins,
  ).withTypeProvider<TypeBoxTypeProvider>()
  if (config.otelExporterOtlpEndpoint !== undefined) {
    // Where no traces are asked for the SDK is not loaded.
    const { registerTracing } = await import('./plugins/tracing.ts')
    await registerTracing(app, config.otelExporterOtlpEndpoint)
  }
  registerDraining(app, () => deps.health.state() === 'draining')
  if (config.metricsPort !== undefined) {
    registerRequestMetrics(app, deps.metrics.observeRequest)
  }
  registerBrowserSessions(app, deps)
  registerBrowsers(app, deps)
  registerPages(app, deps)
  registerPossession(app, deps)
  registerClientCertificate(app, config)
  await registerOverload(app, config)
  registerRefusalAudit(app, deps.auditWriter)
  registerRateLimit(app, { ...deps.rateLimits, limits: config.rateLimits })
  await describeRoutes(app, config.issuer)
  for (const schema of [problemSchema, oauthErrorSchema, auditEventSchema]) app.addSchema(schema)

  await app.register(health, deps)
  await app.register(metadata, deps)
  await app.register(
    async (scope) => {
      await scope.register(home, deps)
      await scope.register(documentation, deps)
      await scope.register(jwks, deps)
      await scope.register(authEndpoints, deps)
      await scope.register(oauthEndpoints, deps)
      await scope.register(pageEndpoints, deps)
      await scope.register(adminEndpoints, deps)
    },
    { prefix: basePathOf(config.issuer) },
  )
  await app.ready()
  return app
}
