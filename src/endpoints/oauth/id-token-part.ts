import type { Client } from '../../clients/client.ts'
import type { GrantResult } from '../../grants/grant.ts'
import type { TokenSet } from '../../tokens/authorization.ts'
import { deservesIdToken, type IdTokenIssuer } from '../../tokens/id-token.ts'

/**
 * The tokens of an answer, with an ID token where the scope has `openid` and somebody has signed in
 * (OpenID Connect Core §3.1.3.3, §12.2).
 */
export const withIdToken = async (
  idTokenIssuer: IdTokenIssuer,
  { scope: registeredScope, settings }: Pick<Client, 'scope' | 'settings'>,
  { authorization, nonce, claimsRequest, sessionId }: GrantResult,
  tokens: TokenSet,
): Promise<TokenSet> => {
  if (!deservesIdToken(authorization)) return tokens
  const idToken = await idTokenIssuer.issueIdToken({
    authorization,
    accessToken: tokens.accessToken,
    algorithm: settings.idTokenSignedResponseAlg,
    registeredScope,
    sessionId: sessionId ?? authorization.sessionId,
    ...(nonce === undefined ? {} : { nonce }),
    ...(claimsRequest === undefined ? {} : { claimsRequest }),
  })
  return { ...tokens, idToken }
}
