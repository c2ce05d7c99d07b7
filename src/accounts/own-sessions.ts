import type { Origin } from '../audit/event.ts'
import { firstPartyClientId } from '../clients/client.ts'
import type { Config } from '../config.ts'
import type { Revocations } from '../revocation/revocations.ts'
import { sha256 } from '../secrets/digest.ts'
import type { Families } from '../tokens/families.ts'
import type { BrowserSession } from './browser-session.ts'
import type { Self } from './own-account.ts'
import type { Session, SessionStore } from './session-store.ts'
import { isUuid } from './user.ts'

export type OwnSessionsParts = {
  readonly config: Pick<Config, 'refreshIdleSeconds'>
  readonly sessions: SessionStore
  readonly families: Pick<Families, 'locate'>
  readonly revocations: Pick<Revocations, 'announce'>
}

/** Ends are idempotent, and told to every node before the promise is kept. */
export type OwnSessions = {
  /** Live ones, newest first. */
  list(self: Self): Promise<Session[]>
  /**
   * Live ones of a browser, the last authentication first.
   * @param secrets that the browser keeps; any text
   */
  listOfBrowser(secrets: readonly string[]): Promise<BrowserSession[]>
  /** @returns false when the user has no such live session; any text may be asked for. */
  end(userId: string, sessionId: string, origin: Origin): Promise<boolean>
  /** Ends the session of a refresh token of our own API, of any generation; others are left alone. */
  endByRefreshToken(refreshToken: string, origin: Origin): Promise<void>
  /** Ends all sessions, and what outlives them. */
  endAll(userId: string, origin: Origin): Promise<void>
}

export const createOwnSessions = ({
  config,
  sessions,
  families,
  revocations,
}: OwnSessionsParts): OwnSessions => {
  const end = async (userId: string, sessionId: string, origin: Origin): Promise<boolean> => {
    if (!isUuid(sessionId)) return false
    const ended = await sessions.end(userId, sessionId, { actor: userId, origin })
    // Also when it had ended before: the node that ended it may not have told this one yet.
    await revocations.announce()
    return ended
  }

  return {
    list: ({ userId, sessionId }) => sessions.list(userId, sessionId),
    listOfBrowser: (secrets) =>
      sessions.findOfBrowser(secrets.map(sha256), config.refreshIdleSeconds),
    end,
    async endByRefreshToken(refreshToken, origin) {
      const family = (await families.locate(refreshToken))?.grant
      if (!family?.sessionId || family.clientId !== firstPartyClientId) return
      await end(family.userId, family.sessionId, origin)
    },
    async endAll(userId, origin) {
      await sessions.endAll(userId, { actor: userId, origin })
      await revocations.announce()
    },
  }
}
