import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { LoginName } from '../../accounts/user.ts'
import { Problem } from '../../oauth/problem.ts'
import { browserSessionsOf } from '../../plugins/browser-sessions.ts'
import { originOf } from '../../plugins/request-origin.ts'
import { bodyProblems, problemResponses } from '../problem-schema.ts'
import type { AuthDeps } from './auth-deps.ts'
import { answerSignIn, cookiesMember, wantsCookies } from './session-answer.ts'
import { signedInReference } from './tokens-schema.ts'
import { passwordMember, toWireUser } from './user-schema.ts'

const schema = {
  summary: 'Sign in by password',
  tags: ['Sign-in'],
  body: Type.Object(
    {
      email: Type.Optional(Type.String({ minLength: 1, examples: ['jo@example.com'] })),
      username: Type.Optional(Type.String({ minLength: 1, description: 'Instead of `email`' })),
      password: passwordMember,
      cookies: cookiesMember,
    },
    { additionalProperties: false },
  ),
  response: {
    200: signedInReference,
    ...problemResponses(
      ...bodyProblems,
      'invalid_credentials',
      'untrusted_origin',
      'too_many_attempts',
    ),
  },
}

/** `POST /auth/login` */
export const login: FastifyPluginAsyncTypebox<AuthDeps> = async (app, deps) => {
  const { accounts, knownDevices } = deps
  const sessions = browserSessionsOf(app)
  app.post('/auth/login', { schema, config: { rateLimit: 'sign_in' } }, async (request, reply) => {
    const { password } = request.body
    const cookies = wantsCookies(request.body.cookies, deps)
    const name = readLoginName(request.body)
    if (cookies) sessions.requireTrusted(request)
    const device = await knownDevices.recognise(sessions.read(request, 'device'), name)
    const signedIn = await accounts.signIn(name, password, originOf(request), device)
    if (signedIn === undefined) throw new Problem('invalid_credentials')
    const tokens = await answerSignIn(deps, request, reply, signedIn, cookies)
    const { user } = signedIn
    return {
      ...tokens,
      user: toWireUser(user),
      ...(user.mustChangePassword ? { password_change_required: true as const } : {}),
    }
  })
}

const readLoginName = ({ email, username }: { email?: string; username?: string }): LoginName => {
  if (email !== undefined && username === undefined) return { email }
  if (username !== undefined && email === undefined) return { username }
  const message = 'either email or username must be given, and not both'
  throw new Problem('validation', { fields: [{ field: 'email', message }] })
}
