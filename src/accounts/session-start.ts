import { firstPartyClientId } from '../clients/client.ts'
import type { Config } from '../config.ts'
import { randomId } from '../secrets/random.ts'
import type { RenewableTokens } from '../tokens/authorization.ts'
import { standingOf } from '../tokens/family-authorization.ts'
import type { FamilyStarter } from '../tokens/family-start.ts'
import type { TokenIssuer } from '../tokens/issuer.ts'
import type { NewSession, OpenedSession } from './session-store.ts'
import { firstPartyGrant } from './sign-in-grant.ts'
import type { User } from './user.ts'

/** A person who has just signed in, and the tokens of the new session. */
export type SignedIn = { readonly user: User; readonly tokens: RenewableTokens }

export type SessionConfig = Pick<
  Config,
  'issuer' | 'defaultAudience' | 'refreshTokenTtlSeconds' | 'refreshIdleSeconds' | 'sessionsPerUser'
>

/** A session that is ready to be stored, and what turns it into tokens once it is. */
export type PreparedSession = {
  readonly session: NewSession
  issueTokens(opened: OpenedSession): Promise<SignedIn>
}

type Parts = {
  readonly config: SessionConfig
  readonly familyStarter: FamilyStarter
  readonly issuer: TokenIssuer
}

/**
 * Prepares a session by password with its first-party family. Tokens are signed after the commit:
 * nothing but SQL is awaited while the user's row is locked.
 */
export const prepareSession = (
  { config, familyStarter, issuer }: Parts,
  userId: string,
): PreparedSession => {
  const id = randomId()
  const amr = ['pwd']
  const ttlSeconds = config.refreshTokenTtlSeconds
  const { family, refreshToken } = familyStarter.startFamily({
    sessionId: id,
    userId,
    clientId: firstPartyClientId,
    scope: [],
    audience: [],
    amr,
    acr: null,
    confirmation: null,
    offline: false,
    ttlSeconds,
    idleSeconds: config.refreshIdleSeconds,
  })
  return {
    session: {
      id,
      amr,
      ttlSeconds,
      family,
      grantOf: firstPartyGrant(config),
      limit: config.sessionsPerUser,
    },
    async issueTokens({ user, scope, audience, now, expiresAt }) {
      const { accessToken, expiresIn } = await issuer.issueAccessToken({
        clientId: family.clientId,
        subject: user.id,
        scope,
        audience,
        user: { ...standingOf(scope, user), authTime: now, amr },
        sessionId: id,
        familyId: family.id,
        issuedAt: now,
        notAfter: expiresAt,
      })
      return {
        user,
        tokens: { accessToken, tokenType: 'Bearer', expiresIn, refreshToken, scope },
      }
    },
  }
}
