import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { Problem } from '../../oauth/problem.ts'
import { browserSessionsOf } from '../../plugins/browser-sessions.ts'
import { problemResponses } from '../problem-schema.ts'
import type { AuthDeps } from './auth-deps.ts'
import { csrfTokenMember } from './tokens-schema.ts'

const schema = {
  summary: 'The CSRF token of the session in the cookies',
  description:
    'For the header `X-CSRF-Token` of every request that changes something by the right of a cookie. A page asks for it after a reload; a sign-in and a refresh with cookies give one too.',
  tags: ['Sign-in'],
  response: {
    200: Type.Object({ csrf_token: csrfTokenMember }, { description: 'The token' }),
    ...problemResponses('missing_credentials'),
  },
}

/** `GET /auth/csrf` */
export const csrf: FastifyPluginAsyncTypebox<AuthDeps> = async (app) => {
  app.get('/auth/csrf', { schema }, async (request, reply) => {
    const sessions = browserSessionsOf(request.server)
    const refreshToken = sessions.read(request, 'refresh')
    const familyId = refreshToken && (await sessions.familyOf(refreshToken))
    if (!familyId) throw new Problem('missing_credentials')
    const csrfToken = sessions.issue(familyId)
    sessions.giveCsrfToken(reply, csrfToken)
    return { csrf_token: csrfToken }
  })
}
