import { Type } from 'typebox'
import { prompts } from '../../authorize/authorization-request.ts'
import { responseModes } from '../../oauth/response-mode.ts'

const text = (description: string) => Type.Optional(Type.String({ description }))

/** Parameters of an authorization request (OAuth 2.1 §4.1.1, and the specifications beside). */
export const authorizationParameters = {
  response_type: text('`code`'),
  redirect_uri: text('One of the client’s; may be left out when there is one only'),
  scope: text('Space-separated; default: all that the client may be granted'),
  state: text('Comes back with the answer'),
  code_challenge: text('SHA-256 of the verifier in base64url (RFC 7636)'),
  code_challenge_method: text('`S256`'),
  response_mode: text(`${responseModes.join(', ')}; default query`),
  resource: Type.Optional(
    Type.Array(Type.String(), { description: 'Whom tokens are for; may be repeated (RFC 8707)' }),
  ),
  authorization_details: text('JSON array (RFC 9396)'),
  nonce: text('Comes back in the ID token'),
  prompt: text(`${prompts.join(', ')}; space-separated`),
  max_age: text('Seconds since the sign-in, at most'),
  login_hint: text('An email address'),
  id_token_hint: text('An ID token of the person who is to answer'),
  acr_values: text('Space-separated'),
  claims: text('JSON (OpenID Connect Core 5.5)'),
  ui_locales: text('Languages, space-separated'),
  dpop_jkt: text('Thumbprint of the key that may redeem the code (RFC 9449)'),
  request: text('A signed request object, in place of all others (RFC 9101)'),
}
