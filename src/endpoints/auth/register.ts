import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { browserSessionsOf } from '../../plugins/browser-sessions.ts'
import { originOf } from '../../plugins/request-origin.ts'
import { bodyProblems, problemResponses } from '../problem-schema.ts'
import type { AuthDeps } from './auth-deps.ts'
import { answerSignIn, cookiesMember, wantsCookies } from './session-answer.ts'
import { signedInReference } from './tokens-schema.ts'
import {
  emailMember,
  nameText,
  newPasswordMember,
  readProfile,
  toWireUser,
  usernameText,
} from './user-schema.ts'

const schema = {
  summary: 'Create an account and sign in',
  tags: ['Sign-in'],
  body: Type.Object(
    {
      email: emailMember,
      password: newPasswordMember,
      cookies: cookiesMember,
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
      'untrusted_origin',
      'email_taken',
      'username_taken',
      'password_too_common',
    ),
  },
}

/** `POST /auth/register` */
export const register: FastifyPluginAsyncTypebox<AuthDeps> = async (app, deps) => {
  const sessions = browserSessionsOf(app)
  app.post(
    '/auth/register',
    { schema, config: { rateLimit: 'registration' } },
    async (request, reply) => {
      const { email, password } = request.body
      const cookies = wantsCookies(request.body.cookies, deps)
      if (cookies) sessions.requireTrusted(request)
      const account = { ...readProfile(request.body), email, password }
      const signedIn = await deps.accounts.register(account, originOf(request))
      const tokens = await answerSignIn(deps, request, reply, signedIn, cookies)
      return reply.code(201).send({ ...tokens, user: toWireUser(signedIn.user) })
    },
  )
}
