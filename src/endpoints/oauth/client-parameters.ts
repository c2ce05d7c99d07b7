import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { ClientRequest } from '../../clients/authentication/credentials.ts'

/** Media type of the requests of all OAuth endpoints. */
export const formMediaType = 'application/x-www-form-urlencoded'

/** Where a client names itself without an Authorization header (RFC 6749 §2.3.1). */
export const clientParameters = {
  client_id: Type.Optional(
    Type.String({ description: 'Of a public client, or with client_secret_post or a certificate' }),
  ),
  client_secret: Type.Optional(
    Type.String({ format: 'password', description: 'With client_secret_post' }),
  ),
  client_assertion_type: Type.Optional(
    Type.String({ description: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' }),
  ),
  client_assertion: Type.Optional(
    Type.String({ description: 'JWT, with private_key_jwt or client_secret_jwt (RFC 7523)' }),
  ),
}

/** The form of the endpoints that are asked about one token (RFC 7009 §2.1, RFC 7662 §2.1). */
export const tokenForm = Type.Object({
  token: Type.String({ description: 'An access token or a refresh token' }),
  token_type_hint: Type.Optional(
    Type.String({ description: 'Not needed: a token tells its own type' }),
  ),
  ...clientParameters,
})

/** For the description of the API: HTTP Basic, or the client's own parameters. */
export const clientSecurity: Record<string, string[]>[] = [{ client: [] }, {}]

/** What the authentication of the client needs of a request. */
export const clientRequestOf = (
  request: FastifyRequest,
  parameters: ClientRequest['parameters'],
): ClientRequest => ({
  authorization: request.headers.authorization,
  parameters,
  certificate: request.clientCertificate,
})
