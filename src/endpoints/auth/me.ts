import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { requireBearer } from '../../plugins/bearer.ts'
import { originOf } from '../../plugins/request-origin.ts'
import { bodyProblems, problemResponses } from '../problem-schema.ts'
import { type AuthDeps, bearerProblems, bearerSecurity, selfOf } from './auth-deps.ts'
import {
  emailMember,
  nameText,
  nullableText,
  readProfile,
  toWireUser,
  usernameText,
  userReference,
} from './user-schema.ts'

const readSchema = {
  summary: 'Show the own account',
  tags: ['Account'],
  security: bearerSecurity,
  response: { 200: userReference, ...problemResponses(...bearerProblems) },
}

const updateSchema = {
  summary: 'Change the own account',
  description: 'Changes the members that are given; null clears one.',
  tags: ['Account'],
  security: bearerSecurity,
  body: Type.Object(
    {
      name: Type.Optional(nullableText({ description: nameText })),
      given_name: Type.Optional(nullableText({ description: nameText })),
      family_name: Type.Optional(nullableText({ description: nameText })),
      email: Type.Optional(emailMember),
      username: Type.Optional(nullableText({ description: usernameText })),
      current_password: Type.Optional(
        Type.String({
          minLength: 1,
          format: 'password',
          description: 'Needed with `email` and with `username`',
        }),
      ),
    },
    { additionalProperties: false },
  ),
  response: {
    200: userReference,
    ...problemResponses(
      ...bearerProblems,
      ...bodyProblems,
      'wrong_password',
      'too_many_attempts',
      'email_taken',
      'username_taken',
    ),
  },
}

/** `GET` and `PATCH /auth/me` */
export const me: FastifyPluginAsyncTypebox<AuthDeps> = async (app, deps) => {
  const { ownAccount } = deps.accounts
  app.addHook('onRequest', requireBearer(deps.verifier, deps.config.issuer, 'account'))

  app.get('/auth/me', { schema: readSchema }, async (request) =>
    toWireUser(await ownAccount.show(selfOf(request))),
  )

  app.patch('/auth/me', { schema: updateSchema }, async (request) => {
    const { current_password: currentPassword, ...profile } = request.body
    const user = await ownAccount.update(
      selfOf(request),
      readProfile(profile),
      currentPassword,
      originOf(request),
    )
    return toWireUser(user)
  })
}
