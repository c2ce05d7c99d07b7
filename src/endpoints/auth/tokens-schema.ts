import { type Static, Type } from 'typebox'
import type { SignedIn } from '../../accounts/session-start.ts'
import { formatScope } from '../../oauth/scope.ts'
import type { TokenSet } from '../../tokens/authorization.ts'
import { toWireUser, userReference } from './user-schema.ts'

const tokenMembers = {
  access_token: Type.String({ description: 'JWT (RFC 9068)' }),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ description: 'Seconds until the access token expires' }),
  refresh_token: Type.String({ description: 'Opaque; good for one refresh, and its retries' }),
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

export const toWireTokens = (tokens: Required<TokenSet>): Static<typeof tokensSchema> => ({
  access_token: tokens.accessToken,
  token_type: tokens.tokenType,
  expires_in: tokens.expiresIn,
  refresh_token: tokens.refreshToken,
  scope: formatScope(tokens.scope),
})

export const toWireSignedIn = ({ tokens, user }: SignedIn): Static<typeof signedInSchema> => ({
  ...toWireTokens(tokens),
  user: toWireUser(user),
  ...(user.mustChangePassword ? { password_change_required: true as const } : {}),
})
