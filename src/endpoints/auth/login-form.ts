import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { toLoginName } from '../../accounts/user.ts'
import { invalidGrant, OAuthError } from '../../oauth/error.ts'
import { browserSessionsOf } from '../../plugins/browser-sessions.ts'
import { registerFormBody } from '../../plugins/form-body.ts'
import { originOf } from '../../plugins/request-origin.ts'
import { oauthErrors } from '../oauth/oauth-error-schema.ts'
import type { AuthDeps } from './auth-deps.ts'
import { answerSignIn, wantsCookies } from './session-answer.ts'
import { tokensReference } from './tokens-schema.ts'

const schema = {
  summary: 'Sign in by form, for tools that know the password form of OAuth 2',
  description:
    'The password form of RFC 6749 §4.3 for tools on the own machine: not a grant of the token endpoint. Further parameters and client authentication are ignored.',
  tags: ['Sign-in'],
  consumes: ['application/x-www-form-urlencoded'],
  body: Type.Object({
    grant_type: Type.Optional(Type.String({ description: '`password`, or nothing' })),
    username: Type.String({ description: 'An email address or a username' }),
    password: Type.String({ format: 'password' }),
    cookies: Type.Optional(
      Type.Enum(['true', 'false'], {
        description: '`true`: the tokens are set as cookies too; absent: as configured',
      }),
    ),
  }),
  response: { 200: tokensReference, ...oauthErrors(403, 429) },
}

/** `POST /auth/login-form` */
export const loginForm: FastifyPluginAsyncTypebox<AuthDeps> = async (app, deps) => {
  const { accounts, knownDevices } = deps
  const sessions = browserSessionsOf(app)
  registerFormBody(app)
  const options = { schema, config: { errorFormat: 'oauth', rateLimit: 'sign_in' } } as const
  app.post('/auth/login-form', options, async (request, reply) => {
    const { grant_type: grantType = 'password', username, password } = request.body
    if (grantType !== 'password') {
      throw new OAuthError('unsupported_grant_type', 'This form signs in by password')
    }
    const { cookies: asked } = request.body
    const inCookies = wantsCookies(asked === undefined ? asked : asked === 'true', deps)
    if (inCookies) sessions.requireTrusted(request)
    const name = toLoginName(username)
    const device = await knownDevices.recognise(sessions.read(request, 'device'), name)
    const signedIn = await accounts.signIn(name, password, originOf(request), device)
    if (signedIn === undefined) throw invalidGrant('The name or the password is wrong')
    return answerSignIn(deps, request, reply, signedIn, inCookies)
  })
}
