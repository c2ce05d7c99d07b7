import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import type { Deps } from '../deps.ts'
import { problemResponses } from './problem-schema.ts'

type HealthDeps = Pick<Deps, 'health' | 'config'>

const dependency = Type.Enum(['up', 'down'])

const readiness = {
  status: Type.Enum(['ready', 'degraded', 'draining']),
  database: dependency,
  redis: Type.Optional(dependency),
}

const describedReadiness = (description: string) => Type.Object(readiness, { description })

type Readiness = Static<ReturnType<typeof describedReadiness>>

const liveSchema = {
  summary: 'Whether the process runs',
  tags: ['Service'],
  response: {
    200: Type.Object({ status: Type.Literal('live') }, { description: 'It runs' }),
    ...problemResponses(),
  },
}

const readySchema = {
  summary: 'Whether requests should be sent here',
  description:
    'A dependency that is down makes the service `degraded`, not unready: a balancer that drops every node at once helps nobody.',
  tags: ['Service'],
  response: {
    ...problemResponses(),
    200: describedReadiness('Send them'),
    503: describedReadiness('Do not: the service is stopping'),
  },
}

/** `GET /health/live` and `GET /health/ready`; they stand at the root whatever the issuer. */
export const health: FastifyPluginAsyncTypebox<HealthDeps> = async (app, deps) => {
  app.get('/health/live', { schema: liveSchema, config: { rateLimit: false } }, async () => ({
    status: 'live' as const,
  }))

  app.get(
    '/health/ready',
    { schema: readySchema, config: { rateLimit: false } },
    async (_request, reply) => {
      const isDraining = deps.health.state() === 'draining'
      return reply.code(isDraining ? 503 : 200).send(describe(deps, isDraining))
    },
  )
}

const describe = ({ health, config }: HealthDeps, isDraining: boolean): Readiness => {
  const degraded = health.degraded()
  const stateOf = (name: string) => (degraded.includes(name) ? 'down' : 'up')
  const working = degraded.length === 0 ? 'ready' : 'degraded'
  return {
    status: isDraining ? 'draining' : working,
    database: stateOf('database'),
    ...(config.redisServers === undefined ? {} : { redis: stateOf('redis') }),
  }
}
