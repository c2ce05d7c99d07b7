import type { Logger } from 'pino'
import { createAuditWriter } from '../audit/writer.ts'
import { createAudienceDirectory } from '../clients/audience-directory.ts'
import { createClientDirectory } from '../clients/client-directory.ts'
import { createDetailsTypeDirectory } from '../clients/details-type-directory.ts'
import { createClientOrigins } from '../clients/origin-directory.ts'
import { createSteeredClock } from '../clock.ts'
import type { Config } from '../config.ts'
import { createMetrics } from '../observability/metrics.ts'
import { revocationLifetimeSeconds } from '../revocation/lifetime.ts'
import { createRevocations } from '../revocation/revocations.ts'
import { createStores } from '../stores/postgres/stores.ts'
import type { Storage } from '../stores/storage.ts'
import { createOutageTracker } from '../tokens/outage.ts'
import { joinOutbound } from './outbound.ts'
import type { SharedState } from './shared-state.ts'

export type Foundation = ReturnType<typeof layFoundation>

/** What all other parts stand on: the stores, the database's time and what this node knows of it. */
export const layFoundation = (
  config: Config,
  logger: Logger,
  { connection }: Pick<Storage, 'connection'>,
  sharedState: SharedState,
) => {
  const { bus } = sharedState
  const metrics = createMetrics()
  const warn = (message: string) => (error: unknown) => logger.warn({ err: error }, message)
  const clock = createSteeredClock()
  const entryLifetimeSeconds = (): number =>
    revocationLifetimeSeconds(longestTokenSeconds(), config.requestTimeoutMs)
  const longestTokenSeconds = (): number =>
    Math.max(config.accessTokenTtlSeconds, audiences.longestLifetimeSeconds())

  const stores = createStores(connection, entryLifetimeSeconds, config.auditRetentionDays)
  const audiences = createAudienceDirectory({
    store: stores.audiences,
    onFailure: warn('the audiences could not be read again'),
  })
  const clients = createClientDirectory({ store: stores.clients })
  const clientOrigins = createClientOrigins({
    store: stores.clients,
    onFailure: warn('the origins of clients could not be read again'),
  })
  const detailsTypes = createDetailsTypeDirectory({
    store: stores.detailsTypes,
    onFailure: warn('the types of authorization details could not be read again'),
  })
  const auditWriter = createAuditWriter({
    store: stores.audit,
    clock: clock.now,
    onFailure: warn('audit events could not be written yet'),
  })
  const outages = createOutageTracker(stores.outages)
  const outbound = joinOutbound(config)
  const revocations = createRevocations({
    store: stores.revocations,
    bus,
    clock: clock.now,
    onReading: async (now, writable) => {
      clock.steer(now)
      // To a refresh a database that only reads is one that does not answer.
      if (writable) await outages.heard(now)
    },
    onFailure: warn('the revocations could not be read'),
  })
  return {
    ...{ config, logger, sharedState, bus, warn, stores, clock: clock.now, longestTokenSeconds },
    ...{
      audiences,
      clients,
      detailsTypes,
      clientOrigins,
      auditWriter,
      metrics,
      outages,
      outbound,
      revocations,
    },
  }
}
