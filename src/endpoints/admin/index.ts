import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { guardByPermission } from '../../plugins/permission.ts'
import { accountSchema } from './account-schema.ts'
import type { AdminDeps } from './admin-deps.ts'
import { auditEvents } from './audit-events.ts'
import { families } from './families.ts'
import { roles } from './roles.ts'
import { userActs } from './user-acts.ts'
import { users } from './users.ts'

const endpoints = [auditEvents, families, roles, userActs, users]

/**
 * The admin API: thin over what the command line uses too. Every route names its permission in its
 * `config`, and is guarded here.
 */
export const adminEndpoints: FastifyPluginAsyncTypebox<AdminDeps> = async (app, deps) => {
  const { verifier, config, userAdministration } = deps
  app.addSchema(accountSchema)
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store')
  })
  app.addHook('onRoute', (route) => {
    route.config = { rateLimit: 'admin', ...route.config }
  })
  guardByPermission(app, {
    verifier,
    issuer: config.issuer,
    findUser: userAdministration.findUser,
  })
  for (const endpoint of endpoints) await app.register(endpoint, deps)
}
