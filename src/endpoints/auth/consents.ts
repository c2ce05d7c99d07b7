import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { Problem } from '../../oauth/problem.ts'
import { requireBearer } from '../../plugins/bearer.ts'
import { originOf } from '../../plugins/request-origin.ts'
import { problemResponses } from '../problem-schema.ts'
import { type AuthDeps, bearerProblems, bearerSecurity, selfOf } from './auth-deps.ts'
import { nullableText } from './user-schema.ts'

const consentSchema = Type.Object({
  client_id: Type.String(),
  client_name: nullableText({ description: 'null: the client is gone' }),
  scope: Type.Array(Type.String()),
  audience: Type.Array(Type.String()),
  authorization_details: Type.Array(Type.Object({}, { additionalProperties: true }), {
    description: 'RFC 9396',
  }),
  granted_at: Type.String({ format: 'date-time', description: 'The last time' }),
})

const listSchema = {
  summary: 'List what one has allowed apps',
  description: 'The last one first.',
  tags: ['Account'],
  security: bearerSecurity,
  response: {
    200: Type.Object({ consents: Type.Array(consentSchema) }, { description: 'The consents' }),
    ...problemResponses(...bearerProblems),
  },
}

const revokeSchema = {
  summary: 'Take back what one has allowed an app',
  description: 'Ends all that the app has of the account: its refresh tokens and access tokens.',
  tags: ['Account'],
  security: bearerSecurity,
  params: Type.Object({ client_id: Type.String() }),
  response: {
    204: Type.Null({ description: 'Taken back' }),
    ...problemResponses(...bearerProblems, 'not_found'),
  },
}

/** `GET /auth/consents` and `DELETE /auth/consents/:client_id` */
export const consents: FastifyPluginAsyncTypebox<AuthDeps> = async (app, deps) => {
  const { ownConsents } = deps.accounts
  app.addHook('onRequest', requireBearer(deps.verifier, deps.config.issuer, 'account'))

  app.get('/auth/consents', { schema: listSchema }, async (request) => {
    const listed = await ownConsents.list(selfOf(request).userId)
    return {
      consents: await Promise.all(
        listed.map(async ({ clientId, scope, audience, authorizationDetails, grantedAt }) => ({
          client_id: clientId,
          client_name: (await deps.clients.find(clientId))?.name ?? null,
          scope: [...scope],
          audience: [...audience],
          authorization_details: [...authorizationDetails],
          granted_at: grantedAt.toISOString(),
        })),
      ),
    }
  })

  app.delete('/auth/consents/:client_id', { schema: revokeSchema }, async (request, reply) => {
    const { client_id: clientId } = request.params
    const { userId } = selfOf(request)
    if (!(await deps.accounts.ownConsents.revoke(userId, clientId, originOf(request)))) {
      throw new Problem('not_found')
    }
    return reply.code(204).send(null)
  })
}
