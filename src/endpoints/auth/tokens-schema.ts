import { type Static, Type } from 'typebox'
import { formatScope } from '../../oauth/scope.ts'
import type { RenewableTokens } from '../../tokens/authorization.ts'
import { userReference } from './user-schema.ts'

/** Proof for the header `X-CSRF-Token`. */
export const csrfTokenMember = Type.String({
  description: 'For the header `X-CSRF-Token`, as long as the session lives',
})

const tokenMembers = {
  access_token: Type.String({ description: 'JWT (RFC 9068)' }),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ description: 'Seconds until the access token expires' }),
  refresh_token: Type.Optional(
    Type.String({
      description: 'Opaque; good for one refresh, and its retries. Absent when it is in a cookie',
    }),
  ),
  csrf_token: Type.Optional(csrfTokenMember),
  scope: Type.String(),
}

/** Tokens of a session (RFC 6749 §5.1). */
export const tokensSchema = Type.Object(tokenMembers, {
  $id: 'Tokens',
  description: 'Tokens of a session',
})

const passwordChangeMember = Type.Literal(true, {
  description: 'The tokens permit `POST /auth/password` alone; refresh them after the change',
})

/** Tokens of a new session, and whose they are. */
export const signedInSchema = Type.Object(
  {
    ...tokenMembers,
    user: userReference,
    password_change_required: Type.Optional(passwordChangeMember),
  },
  { $id: 'SignedIn', description: 'Tokens of a new session, and whose they are' },
)

export const tokensReference = Type.Unsafe<Static<typeof tokensSchema>>(Type.Ref('Tokens'))
export const signedInReference = Type.Unsafe<Static<typeof signedInSchema>>(Type.Ref('SignedIn'))

export type WireTokens = Static<typeof tokensSchema>

export const toWireTokens = (tokens: RenewableTokens): WireTokens => ({
  access_token: tokens.accessToken,
  token_type: 'Bearer',
  expires_in: tokens.expiresIn,
  refresh_token: tokens.refreshToken,
  scope: formatScope(tokens.scope),
})
