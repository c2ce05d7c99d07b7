import type { LogoutNotice } from '../accounts/logout-notices.ts'
import { createLogoutDelivery, type LogoutOutcome } from '../jobs/logout-delivery.ts'
import type { Repetition } from '../jobs/repetition.ts'
import type { LogoutTokenIssuer } from '../tokens/logout-token.ts'
import type { Foundation } from './foundation.ts'

const intervalMs = 1000

/** What tells clients of the end of sessions. */
export const joinLogoutDelivery = (
  foundation: Foundation,
  logoutTokenIssuer: LogoutTokenIssuer,
): Repetition => {
  const { stores, logger, metrics, warn } = foundation
  return createLogoutDelivery({
    store: stores.logoutNotices,
    send: createSender(foundation, logoutTokenIssuer),
    intervalMs,
    onAttempt: ({ clientId, sessionId, attempt }, outcome) => {
      metrics.count('logoutDeliveries', { outcome })
      if (outcome === 'failed') {
        logger.warn(
          { client: clientId, sessionId, attempt },
          'a client could not be told of a logout',
        )
      }
    },
    onFailure: warn('clients could not be told of logouts'),
  })
}

const createSender =
  ({ clients, outbound, logger }: Foundation, { issueLogoutToken }: LogoutTokenIssuer) =>
  async ({ clientId, userId, sessionId }: LogoutNotice): Promise<LogoutOutcome> => {
    try {
      const client = await clients.find(clientId)
      const uri = client?.settings.backchannelLogoutUri ?? null
      if (client === undefined || uri === null) return 'dropped'
      const algorithm = client.settings.idTokenSignedResponseAlg
      const token = await issueLogoutToken({ clientId, userId, sessionId, algorithm })
      const outcome = await outbound.send({
        url: uri,
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ logout_token: token }).toString(),
      })
      return outcome.ok ? 'delivered' : 'failed'
    } catch (error) {
      logger.warn({ err: error, client: clientId }, 'a logout token could not be made')
      return 'failed'
    }
  }
