import type { Origin, RecordedEvent } from '../audit/event.ts'
import type { Revocations } from '../revocation/revocations.ts'
import type { AccessTokenClaims } from './verifier.ts'

export type AccessTokenStore = {
  /** Writes the entry of one access token and its event, all or nothing. Idempotent. */
  revoke(tokenId: string, event: RecordedEvent): Promise<void>
}

/** Ends single access tokens before their time. */
export type AccessTokenRevocation = {
  /**
   * @returns once no node accepts the token any more; or seconds to wait, when the token's owner
   *   has ended too many within a minute.
   * @throws {Unavailable} when it cannot be promised; the token may still be good.
   */
  revoke(
    claims: AccessTokenClaims,
    act: { readonly actor: string; readonly origin: Origin },
  ): Promise<{ readonly retryAfterSeconds: number } | undefined>
}

type Dependencies = {
  readonly store: AccessTokenStore
  readonly revocations: Pick<Revocations, 'announce'>
  /** Milliseconds of a clock that never goes back. */
  readonly uptimeMs?: () => number
}

export const createAccessTokenRevocation = ({
  store,
  revocations,
  uptimeMs = () => performance.now(),
}: Dependencies): AccessTokenRevocation => {
  const limit = createRevocationLimit(uptimeMs)
  return {
    async revoke(claims, { actor, origin }) {
      const retryAfterSeconds = limit(JSON.stringify([claims.clientId, claims.subject]))
      if (retryAfterSeconds !== undefined) return { retryAfterSeconds }
      await store.revoke(claims.tokenId, describe(claims, actor, origin))
      await revocations.announce()
      return undefined
    },
  }
}

const windowMs = 60_000
const perOwner = 60
const owners = 10_000

/**
 * Every entry stands in the memory of every verifier until its token would have expired, so nobody
 * may make them by minting and revoking in a loop. Counted for a client and its subject: a machine
 * is its own subject, and one person cannot use up what the others of an app may do. In memory and
 * for each node, because it protects from floods, and a lost count does no harm.
 * @returns a function that counts one, or tells the seconds until it may count again.
 */
const createRevocationLimit = (uptimeMs: () => number) => {
  const counts = new Map<string, number>()
  let startedAt = uptimeMs()
  return (owner: string): number | undefined => {
    const now = uptimeMs()
    if (now - startedAt >= windowMs) {
      counts.clear()
      startedAt = now
    }
    const count = counts.get(owner) ?? 0
    if (count >= perOwner || (count === 0 && counts.size >= owners)) {
      return Math.ceil((startedAt + windowMs - now) / 1000)
    }
    counts.set(owner, count + 1)
    return undefined
  }
}

const describe = (claims: AccessTokenClaims, actor: string, origin: Origin): RecordedEvent => ({
  type: 'token.revoked',
  outcome: 'success',
  actor,
  subject: claims.subject,
  clientId: claims.clientId,
  ...(claims.sessionId === undefined ? {} : { sessionId: claims.sessionId }),
  ...(claims.familyId === undefined ? {} : { familyId: claims.familyId }),
  details: { token_id: claims.tokenId },
  origin,
})
