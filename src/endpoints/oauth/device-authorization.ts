import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Client } from '../../clients/client.ts'
import type { Deps } from '../../deps.ts'
import { readAudience, readDetails, readScope } from '../../grants/token-request.ts'
import { OAuthError } from '../../oauth/error.ts'
import { isOwnScope } from '../../oauth/own-scope.ts'
import { registerFormBody } from '../../plugins/form-body.ts'
import { limitClient } from '../../plugins/rate-limit.ts'
import { originOf } from '../../plugins/request-origin.ts'
import {
  clientParameters,
  clientRequestOf,
  clientSecurity,
  formMediaType,
} from './client-parameters.ts'
import { oauthErrors } from './oauth-error-schema.ts'

type DeviceAuthorizationDeps = Pick<
  Deps,
  'clientAuthenticator' | 'config' | 'detailsTypes' | 'deviceRequests'
>

const schema = {
  summary: 'Ask for a person who signs in elsewhere',
  description:
    'For devices without a browser or a keyboard: show the user code and the address, and ask at the token endpoint with the device code, no oftener than every `interval` seconds.',
  tags: ['OAuth'],
  security: clientSecurity,
  consumes: [formMediaType],
  body: Type.Object({
    scope: Type.Optional(Type.String({ description: 'Space-separated' })),
    resource: Type.Optional(
      Type.Array(Type.String(), { description: 'Whom the tokens are for; may be repeated' }),
    ),
    authorization_details: Type.Optional(Type.String({ description: 'JSON array (RFC 9396)' })),
    ...clientParameters,
  }),
  response: {
    200: Type.Object(
      {
        device_code: Type.String({ description: 'For the token endpoint alone' }),
        user_code: Type.String({ description: 'To be shown; its punctuation does not count' }),
        verification_uri: Type.String({ format: 'uri', description: 'To be shown' }),
        verification_uri_complete: Type.String({
          format: 'uri',
          description: 'For a QR code; the person still has to compare the code',
        }),
        expires_in: Type.Integer({ description: 'Seconds' }),
        interval: Type.Integer({ description: 'Seconds between two requests for the tokens' }),
      },
      { description: 'What the device shows, and what it waits with (RFC 8628 §3.2)' },
    ),
    ...oauthErrors(429),
  },
}

/** `POST /device_authorization` (RFC 8628 §3.1). */
export const deviceAuthorization: FastifyPluginAsyncTypebox<DeviceAuthorizationDeps> = async (
  app,
  deps,
) => {
  registerFormBody(app, ['resource'])
  const config = { errorFormat: 'oauth', forClients: true, rateLimit: 'default' } as const
  app.post('/device_authorization', { schema, config }, async (request, reply) => {
    const { body } = request
    const client = await deps.clientAuthenticator.authenticate(
      clientRequestOf(request, body),
      originOf(request),
    )
    request.client = client
    await limitClient(request, client)
    const begun = await deps.deviceRequests.begin(readDeviceRequest(deps, client, body))
    const uri = `${deps.config.issuer}/device`
    reply.header('cache-control', 'no-store')
    return {
      device_code: begun.deviceCode,
      user_code: begun.userCode,
      verification_uri: uri,
      verification_uri_complete: `${uri}?user_code=${begun.userCode}`,
      expires_in: begun.expiresIn,
      interval: begun.interval,
    }
  })
}

const readDeviceRequest = (
  { config, detailsTypes }: DeviceAuthorizationDeps,
  client: Client,
  body: { scope?: string; resource?: string[]; authorization_details?: string },
) => {
  if (!client.grantTypes.includes('urn:ietf:params:oauth:grant-type:device_code')) {
    throw new OAuthError('unauthorized_client', 'The client is not registered for devices')
  }
  return {
    clientId: client.id,
    scope: readScope(body.scope, client) ?? defaultScope(client),
    audience: readAudience(body.resource, client, config.defaultAudience),
    authorizationDetails: readDetails(body.authorization_details, client, detailsTypes),
  }
}

// What opens the service's own API, and what outlives a session, must be asked for by name.
const defaultScope = ({ scope }: Client) =>
  scope.filter((token) => !isOwnScope(token) && token !== 'offline_access')
