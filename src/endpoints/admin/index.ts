import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Problem } from '../../oauth/problem.ts'
import { isWellFormedText, toPrintableName } from '../../oauth/text.ts'
import { guardByPermission } from '../../plugins/permission.ts'
import { accountSchema } from './account-schema.ts'
import type { AdminDeps } from './admin-deps.ts'
import { assertionIssuers } from './assertion-issuers.ts'
import { audiences } from './audiences.ts'
import { auditEvents } from './audit-events.ts'
import { clientSchema, clientWithSecretSchema } from './client-schema.ts'
import { clients } from './clients.ts'
import { detailsTypes } from './details-types.ts'
import { families } from './families.ts'
import { keyEmergencies } from './key-emergencies.ts'
import { keys } from './keys.ts'
import { macKeys } from './mac-keys.ts'
import { registrationTokenSchema, registrationTokens } from './registration-tokens.ts'
import { roles } from './roles.ts'
import { userActs } from './user-acts.ts'
import { userSessions } from './user-sessions.ts'
import { users } from './users.ts'

const endpoints = [
  assertionIssuers,
  audiences,
  auditEvents,
  clients,
  detailsTypes,
  families,
  keyEmergencies,
  keys,
  macKeys,
  registrationTokens,
  roles,
  userActs,
  userSessions,
  users,
]

const schemas = [accountSchema, clientSchema, clientWithSecretSchema, registrationTokenSchema]

/**
 * The admin API: thin over what the command line uses too. Every route names its permission in its
 * `config`, and is guarded here.
 */
export const adminEndpoints: FastifyPluginAsyncTypebox<AdminDeps> = async (app, deps) => {
  const { verifier, config, userAdministration } = deps
  for (const schema of schemas) app.addSchema(schema)
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
  app.addHook('preValidation', refuseIllFormed)
  app.addHook('preValidation', refuseUnknownBody)
  for (const endpoint of endpoints) await app.register(endpoint, deps)
}

/** Whoever says more than an act takes means another act: as elsewhere it is refused, not ignored. */
const refuseUnknownBody = async ({ routeOptions, body }: FastifyRequest): Promise<void> => {
  if (routeOptions.schema?.body !== undefined || body === undefined) return
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body)
  const fields = isObject
    ? Object.keys(body).map((name) => ({
        field: toPrintableName(name),
        message: 'is not a member of this request',
      }))
    : [{ field: 'body', message: 'must be of type object' }]
  if (fields.length > 0) throw new Problem('validation', { fields: fields.slice(0, 20) })
}

/** Nothing has a name that the database cannot even look for. */
const refuseIllFormed = async ({ params }: FastifyRequest): Promise<void> => {
  if (!Object.values(params as object).every(isWellFormedText)) throw new Problem('not_found')
}
