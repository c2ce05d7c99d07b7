import { type Static, Type } from 'typebox'
import type { GrantTable } from '../../grants/grant-table.ts'
import { formatScope } from '../../oauth/scope.ts'
import type { TokenSet } from '../../tokens/authorization.ts'
import { clientParameters, clientSecurity, formMediaType } from './client-parameters.ts'
import { oauthErrors } from './oauth-error-schema.ts'

const tokenResponse = Type.Object(
  {
    access_token: Type.String({ description: 'JWT (RFC 9068)' }),
    token_type: Type.Enum(['Bearer', 'DPoP']),
    expires_in: Type.Integer({ description: 'Seconds until the access token expires' }),
    refresh_token: Type.Optional(Type.String({ description: 'Opaque; takes the old one’s place' })),
    id_token: Type.Optional(
      Type.String({ description: 'Who signed in: a JWT for the client; for scopes with `openid`' }),
    ),
    scope: Type.Optional(Type.String({ description: 'Absent when there is none' })),
    authorization_details: Type.Optional(
      Type.Array(Type.Record(Type.String(), Type.Unknown()), {
        description: 'As granted; absent when there are none (RFC 9396)',
      }),
    ),
    issued_token_type: Type.Optional(
      Type.String({ description: 'The kind of token; only from a token exchange' }),
    ),
  },
  { description: 'The tokens (RFC 6749 §5.1)' },
)

/**
 * Describes the token endpoint with the parameters of every grant, which are optional here: what
 * one grant needs, another does not know.
 */
export const tokenSchema = (grants: GrantTable) => ({
  summary: 'Get tokens',
  description: `Grants: ${Object.keys(grants).join(', ')}. A DPoP header binds the tokens to its key (RFC 9449). Unknown parameters are ignored.`,
  tags: ['OAuth'],
  security: clientSecurity,
  consumes: [formMediaType],
  body: Type.Object({
    grant_type: Type.String({ description: Object.keys(grants).join(' or ') }),
    ...grantParameters(grants),
    scope: Type.Optional(
      Type.String({ description: 'Space-separated; default: all that may be granted' }),
    ),
    resource: Type.Optional(
      Type.Array(Type.String(), {
        description: 'Whom the access token is for; may be repeated (RFC 8707)',
      }),
    ),
    audience: Type.Optional(
      Type.Array(Type.String(), { description: 'For token exchange: as `resource`' }),
    ),
    authorization_details: Type.Optional(
      Type.String({ description: 'JSON array; default: all that was granted (RFC 9396)' }),
    ),
    ...clientParameters,
  }),
  response: { 200: tokenResponse, ...oauthErrors() },
})

const grantParameters = (grants: GrantTable) =>
  Object.fromEntries(
    Object.values(grants).flatMap(({ parameters }) =>
      Object.entries(parameters.properties).map(([name, type]) => [name, Type.Optional(type)]),
    ),
  )

export const toTokenResponse = (tokens: TokenSet): Static<typeof tokenResponse> => ({
  access_token: tokens.accessToken,
  token_type: tokens.tokenType,
  expires_in: tokens.expiresIn,
  ...(tokens.refreshToken === undefined ? {} : { refresh_token: tokens.refreshToken }),
  ...(tokens.idToken === undefined ? {} : { id_token: tokens.idToken }),
  ...(tokens.scope.length === 0 ? {} : { scope: formatScope(tokens.scope) }),
  ...(tokens.authorizationDetails === undefined
    ? {}
    : { authorization_details: [...tokens.authorizationDetails] }),
  ...(tokens.issuedTokenType === undefined ? {} : { issued_token_type: tokens.issuedTokenType }),
})
