import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import type { Deps } from './deps.ts'
import { problemSchema } from './endpoints/problem-schema.ts'
import { createServer } from './plugins/server.ts'

/**
 * The service as a Fastify application that is ready but not listening: what holds for every
 * request, then the endpoints.
 */
export const buildApp = async (deps: Deps): Promise<FastifyInstance> => {
  const app = createServer(deps.config, deps.logger).withTypeProvider<TypeBoxTypeProvider>()
  app.addSchema(problemSchema)
  await app.ready()
  return app
}
