import { Type } from 'typebox'
import { invalidRequest } from '../../oauth/error.ts'
import { clientParameters } from './client-parameters.ts'

/** The form of the endpoints that are asked about one token (RFC 7009 §2.1, RFC 7662 §2.1). */
export const tokenForm = Type.Object({
  token: Type.Optional(Type.String({ description: 'Required: an access or a refresh token' })),
  token_type_hint: Type.Optional(
    Type.String({ description: 'Not needed: a token tells its own type' }),
  ),
  ...clientParameters,
})

/** @throws {OAuthError} invalid_request when there is none. */
export const requireToken = (form: { readonly token?: string }): string => {
  if (form.token === undefined) throw invalidRequest('token is missing')
  return form.token
}
