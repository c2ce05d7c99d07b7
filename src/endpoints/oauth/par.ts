import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Deps } from '../../deps.ts'
import { registerFormBody } from '../../plugins/form-body.ts'
import { limitClient } from '../../plugins/rate-limit.ts'
import { originOf } from '../../plugins/request-origin.ts'
import { authorizationParameters } from './authorize-schema.ts'
import {
  clientParameters,
  clientRequestOf,
  clientSecurity,
  formMediaType,
} from './client-parameters.ts'
import { oauthErrors } from './oauth-error-schema.ts'
import { checkProof, spendProof } from './request-proof.ts'

const schema = {
  summary: 'Push an authorization request',
  description:
    'The browser then brings the `request_uri` alone, once, and soon (RFC 9126). A DPoP header binds the code to its key (RFC 9449 §10.1).',
  tags: ['OAuth'],
  security: clientSecurity,
  consumes: [formMediaType],
  body: Type.Object({ ...authorizationParameters, ...clientParameters }),
  response: {
    201: Type.Object(
      {
        request_uri: Type.String({ format: 'uri' }),
        expires_in: Type.Integer({ description: 'Seconds' }),
      },
      { description: 'What to give the browser' },
    ),
    ...oauthErrors(),
  },
}

type ParDeps = Pick<Deps, 'clientAuthenticator' | 'pushedRequests'>

/** `POST /par` (RFC 9126 §2): the same validation as at the authorization endpoint, but in time. */
export const par: FastifyPluginAsyncTypebox<ParDeps> = async (app, deps) => {
  registerFormBody(app, ['resource'])
  app.post(
    '/par',
    { schema, config: { errorFormat: 'oauth', forClients: true, rateLimit: 'token' } },
    async (request, reply) => {
      const { body } = request
      const proof = await checkProof(request, reply)
      const client = await deps.clientAuthenticator.authenticate(
        clientRequestOf(request, body),
        originOf(request),
      )
      request.client = client
      await limitClient(request, client)
      const sent = Object.fromEntries(
        Object.entries(body).map(([name, value]) => [name, [value].flat()]),
      )
      await spendProof(request, proof)
      const { requestUri, expiresIn } = await deps.pushedRequests.push(sent, client, proof?.jkt)
      return reply.code(201).send({ request_uri: requestUri, expires_in: expiresIn })
    },
  )
}
