import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { RequestingBrowser, Step } from '../../authorize/next-step.ts'
import type { Deps } from '../../deps.ts'
import { rawParametersOf, registerRawParameters } from '../../plugins/authorization-request.ts'
import { sendAuthorizationResponse } from '../../plugins/authorization-response.ts'
import { basePathOf } from '../../plugins/base-path.ts'
import { browsersOf } from '../../plugins/browsers.ts'
import { originOf } from '../../plugins/request-origin.ts'
import { authorizationParameters } from './authorize-schema.ts'
import { formMediaType } from './client-parameters.ts'

const parameters = Type.Object({
  client_id: Type.Optional(Type.String({ description: 'Which client asks' })),
  ...authorizationParameters,
  request_uri: Type.Optional(Type.String({ description: 'A pushed request (RFC 9126)' })),
})

// What a browser gets is no data.
const responses: Readonly<Record<number, object>> = {
  303: Type.Null({ description: 'To the client with the answer, or to a page of ours' }),
  400: {
    description: 'A page: the client or its redirect URI is not known',
    content: { 'text/html': { schema: Type.String() } },
  },
}

const shared = {
  summary: 'Ask a person for an authorization',
  description:
    'For browsers: answers by way of the redirect URI, or shows the pages that are needed first.',
  tags: ['OAuth'],
  response: responses,
}

const pages = { sign_in: '/sign-in', accounts: '/accounts', consent: '/consent' } as const

/**
 * `GET` and `POST /authorize` (OAuth 2.1 §3.1), and `GET /authorize/resume`, to which the pages send
 * the browser back. Every request is decided anew by what is so now.
 */
export const authorize: FastifyPluginAsyncTypebox<Pick<Deps, 'config' | 'authorizations'>> = async (
  app,
  { config, authorizations },
) => {
  registerRawParameters(app)
  const browsers = browsersOf(app)
  const base = basePathOf(config.issuer)

  const browserOf = async (
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<RequestingBrowser> => ({
    secret: browsers.secretOf(request, reply),
    sessions: await browsers.sessionsOf(request),
    origin: originOf(request),
  })

  const take = (reply: FastifyReply, step: Step): FastifyReply =>
    step.kind === 'answer'
      ? sendAuthorizationResponse(reply, step.response)
      : reply.redirect(`${base}${pages[step.page]}?request=${step.id}`, 303)

  const begin = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const sent = rawParametersOf(request)
    return take(reply, await authorizations.begin(sent, await browserOf(request, reply)))
  }

  const options = {
    // What is wrong with a parameter is told in another way than that of a schema.
    validatorCompiler: () => () => true,
    // Who only looks must not get a code, nor use a request up.
    exposeHeadRoute: false,
    config: { errorFormat: 'page' },
  } as const

  app.get(
    '/authorize',
    { ...options, schema: { ...shared, querystring: parameters } },
    (request, reply) => begin(request, reply),
  )
  const form = { ...shared, consumes: [formMediaType], body: parameters }
  app.post('/authorize', { ...options, schema: form }, begin)

  app.get('/authorize/resume', { ...options, schema: { hide: true } }, async (request, reply) => {
    const [id = ''] = rawParametersOf(request).request ?? []
    return take(reply, await authorizations.resume(id, await browserOf(request, reply)))
  })
}
