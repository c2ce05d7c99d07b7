import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { requireBearer } from '../../plugins/bearer.ts'
import { originOf } from '../../plugins/request-origin.ts'
import { bodyProblems, problemResponses } from '../problem-schema.ts'
import { type AuthDeps, bearerProblems, bearerSecurity, selfOf } from './auth-deps.ts'
import { newPasswordMember, passwordMember } from './user-schema.ts'

const schema = {
  summary: 'Change the own password',
  description:
    'Ends all other sessions, and what apps may do in the absence of the user. After a change that was required, the next refresh permits everything again.',
  tags: ['Account'],
  security: bearerSecurity,
  body: Type.Object(
    { current_password: passwordMember, new_password: newPasswordMember },
    { additionalProperties: false },
  ),
  response: {
    204: Type.Null({ description: 'Changed' }),
    ...problemResponses(
      ...bearerProblems,
      ...bodyProblems,
      'wrong_password',
      'too_many_attempts',
      'password_too_common',
    ),
  },
}

/** `POST /auth/password` */
export const password: FastifyPluginAsyncTypebox<AuthDeps> = async (app, deps) => {
  app.addHook('onRequest', requireBearer(deps.verifier, deps.config.issuer, 'account', 'password'))

  app.post(
    '/auth/password',
    { schema, config: { rateLimit: 'sign_in' } },
    async (request, reply) => {
      const { current_password: current, new_password: next } = request.body
      await deps.accounts.ownAccount.changePassword(
        selfOf(request),
        { current, next },
        originOf(request),
      )
      return reply.code(204).send(null)
    },
  )
}
