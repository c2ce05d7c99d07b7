import { createAudienceAdministration } from '../clients/audience-administration.ts'
import { createClientAuthenticator } from '../clients/authentication.ts'
import { createClientAdministration } from '../clients/client-administration.ts'
import { createDetailsTypeAdministration } from '../clients/details-type-administration.ts'
import { firstPartyAudience } from '../clients/first-party.ts'
import { observeClientAuthenticator } from '../observability/observed.ts'
import type { OneTimeIds } from '../secrets/one-time-ids.ts'
import type { Sealer } from '../secrets/sealer.ts'
import { joinClientKeys } from './client-keys.ts'
import type { Foundation } from './foundation.ts'

/** Clients and audiences, of which a change is known to every node that hears the bus. */
export const joinClients = (
  foundation: Foundation,
  secrets: { readonly sealer: Sealer; readonly oneTimeIds: OneTimeIds },
) => {
  const { clientKeys, sealedSecrets, methods, strongMethods } = joinClientKeys(foundation, secrets)
  const { config, clock, stores, bus, warn, audiences, auditWriter, revocations } = foundation
  const { clients, clientOrigins, detailsTypes, metrics } = foundation
  const reloadOrigins = (): Promise<void> =>
    clientOrigins.reload().catch(warn('the origins of clients could not be read again'))
  bus.subscribe('clients', () => {
    clients.invalidate()
    audiences.reload().catch(warn('the audiences could not be read again'))
    detailsTypes.reload().catch(warn('the types of authorization details could not be read again'))
    void reloadOrigins()
  })
  return {
    clients,
    clientKeys,
    clientOrigins,
    clientAuthenticator: observeClientAuthenticator(
      createClientAuthenticator({
        clients,
        isRevoked: (clientId) => revocations.revokedBy({ clientId }) !== undefined,
        clock,
        audit: auditWriter,
        strongMethods,
      }),
      metrics.count,
    ),
    clientAdministration: createClientAdministration({
      store: stores.clients,
      secrets: sealedSecrets,
      methods,
      announce: async (clientId) => {
        clients.invalidate(clientId)
        bus.publish('clients')
        await reloadOrigins()
        await revocations.announce()
      },
    }),
    detailsTypes,
    detailsTypeAdministration: createDetailsTypeAdministration({
      store: stores.detailsTypes,
      announce: async () => {
        bus.publish('clients')
        await detailsTypes.reload()
      },
    }),
    audienceAdministration: createAudienceAdministration({
      store: stores.audiences,
      clients: stores.clients,
      firstPartyAudience: firstPartyAudience(config),
      announce: async () => {
        bus.publish('clients')
        await audiences.reload()
      },
    }),
  }
}
