import { setTimeout as delay } from 'node:timers/promises'
import type { LogoutNotice } from '../accounts/logout-notices.ts'
import { createLogoutDelivery, type LogoutOutcome } from '../jobs/logout-delivery.ts'
import type { Repetition } from '../jobs/repetition.ts'
import type { Outbound, OutboundOutcome } from '../outbound/outbound.ts'
import type { LogoutTokenIssuer } from '../tokens/logout-token.ts'
import type { Foundation } from './foundation.ts'

export type LogoutOptions = {
  /** Between two looks at what is to be told; shorter in tests. */
  readonly logoutIntervalMs?: number
}

/** Of many clients on one host some wait for others. */
const mostWaits = 20
const waitMs = 250

/** What tells clients of the end of sessions. */
export const joinLogoutDelivery = (
  foundation: Foundation,
  logoutTokenIssuer: LogoutTokenIssuer,
  { logoutIntervalMs = 1000 }: LogoutOptions,
): Repetition => {
  const { stores, logger, metrics, warn } = foundation
  return createLogoutDelivery({
    store: stores.logoutNotices,
    send: createSender(foundation, logoutTokenIssuer),
    intervalMs: logoutIntervalMs,
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
      const outcome = await sendPatiently(outbound, uri, token)
      return outcome.ok ? 'delivered' : 'failed'
    } catch (error) {
      logger.warn({ err: error, client: clientId }, 'a logout token could not be made')
      return 'failed'
    }
  }

const sendPatiently = async (
  outbound: Outbound,
  url: string,
  token: string,
): Promise<OutboundOutcome> => {
  for (let waits = 0; ; waits += 1) {
    const outcome = await outbound.send({
      ...{ url, method: 'POST' },
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ logout_token: token }).toString(),
    })
    if (outcome.ok || outcome.reason !== 'busy' || waits >= mostWaits) return outcome
    await delay(waitMs)
  }
}
