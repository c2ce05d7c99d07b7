import { createAssertionIssuerAdministration } from '../clients/assertion-issuer-administration.ts'
import { createBearerAssertions } from '../clients/bearer-assertion.ts'
import type { ClientKeys } from '../clients/client-keys.ts'
import { createDeviceRequests } from '../grants/device-requests.ts'
import { createGrantTable } from '../grants/grant-table.ts'
import { observeGrants } from '../observability/observed.ts'
import type { OneTimeIds } from '../secrets/one-time-ids.ts'
import type { Foundation } from './foundation.ts'
import type { joinTokens } from './tokens.ts'

type Parts = ReturnType<typeof joinTokens> & {
  readonly clientKeys: ClientKeys
  readonly oneTimeIds: OneTimeIds
}

/** Every way to get tokens at the token endpoint, and what goes before some of them. */
export const joinGrants = (
  { config, clock, stores, auditWriter, metrics, revocations }: Foundation,
  { clientKeys, oneTimeIds, ...tokens }: Parts,
) => {
  const assertions = createBearerAssertions({
    issuers: stores.assertionIssuers,
    keys: clientKeys,
    ownIssuer: config.issuer,
    clock,
  })
  return {
    grants: observeGrants(
      createGrantTable({
        ...{ config, clock, auditWriter, ...tokens, revocations, assertions, oneTimeIds },
        codes: stores.authorizationCodes,
        devices: stores.deviceCodes,
        findUser: (id) => stores.users.find({ id }),
      }),
      metrics.count,
    ),
    deviceRequests: createDeviceRequests(stores.deviceCodes),
    deviceCodes: stores.deviceCodes,
    assertionIssuerAdministration: createAssertionIssuerAdministration({
      store: stores.assertionIssuers,
      ownIssuer: config.issuer,
    }),
  }
}
