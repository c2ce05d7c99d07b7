import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { originOf } from '../../plugins/request-origin.ts'
import { bodyProblems, problemResponses } from '../problem-schema.ts'
import type { AuthDeps } from './auth-deps.ts'
import { signedInReference, toWireSignedIn } from './tokens-schema.ts'
import {
  emailMember,
  nameText,
  newPasswordMember,
  readProfile,
  usernameText,
} from './user-schema.ts'

const schema = {
  summary: 'Create an account and sign in',
  tags: ['Sign-in'],
  body: Type.Object(
    {
      email: emailMember,
      password: newPasswordMember,
      username: Type.Optional(Type.String({ description: usernameText })),
      name: Type.Optional(Type.String({ description: nameText })),
      given_name: Type.Optional(Type.String({ description: nameText })),
      family_name: Type.Optional(Type.String({ description: nameText })),
    },
    { additionalProperties: false },
  ),
  response: {
    201: signedInReference,
    ...problemResponses(
      ...bodyProblems,
      'registration_closed',
      'email_taken',
      'username_taken',
      'password_too_common',
    ),
  },
}

/** `POST /auth/register` */
export const register: FastifyPluginAsyncTypebox<AuthDeps> = async (app, { accounts }) => {
  app.post('/auth/register', { schema, config: { rateLimit: 'registration' } }, async (request, reply) => {
    const { email, password } = request.body
    const account = { ...readProfile(request.body), email, password }
    const signedIn = await accounts.register(account, originOf(request))
    return reply.code(201).send(toWireSignedIn(signedIn))
  })
}
