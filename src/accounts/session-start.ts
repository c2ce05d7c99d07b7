import { firstPartyClientId } from '../clients/client.ts'
import type { Config } from '../config.ts'
import { sha256 } from '../secrets/digest.ts'
import { randomId, randomToken } from '../secrets/random.ts'
import type { RenewableTokens } from '../tokens/authorization.ts'
import { standingOf } from '../tokens/family-authorization.ts'
import type { FamilyStarter } from '../tokens/family-start.ts'
import type { TokenIssuer } from '../tokens/issuer.ts'
import type { NewBrowserSession, NewSession, OpenedSession } from './session-store.ts'
import { firstPartyGrant } from './sign-in-grant.ts'
import type { User } from './user.ts'

/** A person who has just signed in, and the tokens of the new session. */
export type SignedIn = { readonly user: User; readonly tokens: RenewableTokens }

/** A person who has just signed in by a page. */
export type BrowserSignedIn = {
  readonly user: User
  readonly sessionId: string
  /** For the browser's cookie; nothing but its digest is kept. */
  readonly secret: string
}

export type SessionConfig = Pick<
  Config,
  'issuer' | 'defaultAudience' | 'refreshTokenTtlSeconds' | 'refreshIdleSeconds' | 'sessionsPerUser'
>

/** A session that is ready to be stored, and what is made of it once it is. */
export type PreparedSession<Made> = {
  readonly session: NewSession | NewBrowserSession
  complete(opened: OpenedSession): Promise<Made>
}

type Parts = {
  readonly config: SessionConfig
  readonly familyStarter: FamilyStarter
  readonly issuer: TokenIssuer
}

const amr = ['pwd']

const frameOf = (config: SessionConfig) => ({
  id: randomId(),
  amr,
  ttlSeconds: config.refreshTokenTtlSeconds,
  limit: config.sessionsPerUser,
})

/**
 * Prepares a session by password with its first-party family. Tokens are signed after the commit:
 * nothing but SQL is awaited while the user's row is locked.
 */
export const prepareSession = (
  { config, familyStarter, issuer }: Parts,
  userId: string,
): PreparedSession<SignedIn> => {
  const frame = frameOf(config)
  const { family, refreshToken } = familyStarter.startFamily({
    sessionId: frame.id,
    userId,
    clientId: firstPartyClientId,
    scope: [],
    audience: [],
    amr,
    acr: null,
    confirmation: null,
    offline: false,
    ttlSeconds: frame.ttlSeconds,
    idleSeconds: config.refreshIdleSeconds,
  })
  return {
    session: { ...frame, family, grantOf: firstPartyGrant(config) },
    async complete({ sessionId, user, scope, audience, now, expiresAt }) {
      const { accessToken, expiresIn } = await issuer.issueAccessToken({
        clientId: family.clientId,
        subject: user.id,
        scope,
        audience,
        user: { ...standingOf(scope, user), authTime: now, amr },
        sessionId,
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

/** Prepares a session of a browser by password. @param kept secrets that the browser has so far */
export const prepareBrowserSession = (
  { config }: Pick<Parts, 'config'>,
  kept: readonly string[],
): PreparedSession<BrowserSignedIn> => {
  const secret = randomToken()
  return {
    session: { ...frameOf(config), cookieDigest: sha256(secret), keptDigests: kept.map(sha256) },
    complete: async ({ user, sessionId }) => ({ user, sessionId, secret }),
  }
}
