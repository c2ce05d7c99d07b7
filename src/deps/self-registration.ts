import { createRegistrationManagement } from '../clients/registration-management.ts'
import { createRegistrationTokenAdministration } from '../clients/registration-token-administration.ts'
import { createSelfRegistration } from '../clients/self-registration.ts'
import { supportedMethods } from '../clients/supported-methods.ts'
import { parseScope } from '../oauth/scope.ts'
import type { Foundation } from './foundation.ts'

/** Clients that register themselves; where that is off, those that have done so manage nothing. */
export const joinSelfRegistration = (foundation: Foundation) => {
  const { config, stores, outbound, auditWriter, clients, clientOrigins } = foundation
  const { bus, warn, revocations } = foundation
  const announce = async (clientId: string): Promise<void> => {
    clients.invalidate(clientId)
    bus.publish('clients')
    await clientOrigins.reload().catch(warn('the origins of clients could not be read again'))
    await revocations.announce()
  }
  const shared = {
    ...{ store: stores.selfRegistrations, outbound, realm: config.issuer, announce },
    policy: {
      scope: parseScope(config.clientRegistrationScopes) ?? [],
      // A secret that has to be read back is for an operator to give away.
      authenticationMethods: supportedMethods(config).filter(
        (method) => method !== 'client_secret_jwt',
      ),
    },
  }
  const mode = config.clientRegistration === 'open' ? 'open' : 'token'
  return {
    registrationTokenAdministration: createRegistrationTokenAdministration(
      stores.registrationTokens,
    ),
    selfRegistration:
      config.clientRegistration === 'off'
        ? undefined
        : createSelfRegistration({ ...shared, mode, audit: auditWriter }),
    registrationManagement: createRegistrationManagement(shared),
  }
}
