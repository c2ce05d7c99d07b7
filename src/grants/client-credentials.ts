import { Type } from 'typebox'
import { isConfidential } from '../clients/client.ts'
import type { Clock } from '../clock.ts'
import { OAuthError } from '../oauth/error.ts'
import { isOwnScope } from '../oauth/own-scope.ts'
import type { TokenIssuer } from '../tokens/issuer.ts'
import { audienceOf } from './client-audience.ts'
import type { Grant } from './grant.ts'

type Dependencies = {
  /** In step with the database. */
  readonly clock: Clock
  readonly defaultAudience: string
  readonly issuer: Pick<TokenIssuer, 'requireOneAlgorithm'>
}

/**
 * A machine acts for itself: its authentication is all the proof (RFC 6749 §4.4). Runs no SQL and
 * gives no refresh token.
 */
export const createClientCredentialsGrant = ({
  clock,
  defaultAudience,
  issuer,
}: Dependencies): Grant => ({
  grantType: 'client_credentials',
  parameters: Type.Object({}),
  async authorize({ scope, audience, authorizationDetails }, client) {
    if (!isConfidential(client)) {
      throw new OAuthError('unauthorized_client', 'A public client has no credentials of its own')
    }
    const target = {
      clientId: client.id,
      audience: audience ?? audienceOf(client, defaultAudience),
    }
    issuer.requireOneAlgorithm(target)
    return {
      authorization: {
        ...target,
        subject: client.id,
        // What opens the service's own API must be asked for by name.
        scope: scope ?? client.scope.filter((token) => !isOwnScope(token)),
        ...(authorizationDetails === undefined ? {} : { authorizationDetails }),
        issuedAt: clock(),
      },
    }
  },
})
