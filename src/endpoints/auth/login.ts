import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { LoginName } from '../../accounts/user.ts'
import { Problem } from '../../oauth/problem.ts'
import { originOf } from '../../plugins/request-origin.ts'
import { bodyProblems, problemResponses } from '../problem-schema.ts'
import type { AuthDeps } from './auth-deps.ts'
import { signedInReference, toWireSignedIn } from './tokens-schema.ts'
import { passwordMember } from './user-schema.ts'

const schema = {
  summary: 'Sign in by password',
  tags: ['Sign-in'],
  body: Type.Object(
    {
      email: Type.Optional(Type.String({ minLength: 1, examples: ['jo@example.com'] })),
      username: Type.Optional(Type.String({ minLength: 1, description: 'Instead of `email`' })),
      password: passwordMember,
    },
    { additionalProperties: false },
  ),
  response: {
    200: signedInReference,
    ...problemResponses(...bodyProblems, 'invalid_credentials', 'too_many_attempts'),
  },
}

/** `POST /auth/login` */
export const login: FastifyPluginAsyncTypebox<AuthDeps> = async (app, { accounts }) => {
  app.post('/auth/login', { schema, config: { rateLimit: 'sign_in' } }, async (request) => {
    const name = readLoginName(request.body)
    const signedIn = await accounts.signIn(name, request.body.password, originOf(request))
    if (signedIn === undefined) throw new Problem('invalid_credentials')
    return toWireSignedIn(signedIn)
  })
}

const readLoginName = ({ email, username }: { email?: string; username?: string }): LoginName => {
  if (email !== undefined && username === undefined) return { email }
  if (username !== undefined && email === undefined) return { username }
  const message = 'either email or username must be given, and not both'
  throw new Problem('validation', { fields: [{ field: 'email', message }] })
}
