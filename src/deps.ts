import type { Logger } from 'pino'
import type { Accounts } from './accounts/accounts.ts'
import type { DelegatedAdministration } from './accounts/delegated-administration.ts'
import type { FirstAdminAdministration } from './accounts/first-admin-administration.ts'
import type { KnownDevices } from './accounts/known-device.ts'
import type { RoleAdministration } from './accounts/role-administration.ts'
import type { UserAdministration } from './accounts/user-administration.ts'
import type { AuditLog } from './audit/audit-log.ts'
import type { FamilyStories } from './audit/family-stories.ts'
import type { AuditWriter } from './audit/writer.ts'
import type { Authorizations } from './authorize/authorizations.ts'
import type { Interactions } from './authorize/interactions.ts'
import type { PushedRequests } from './authorize/pushed-requests.ts'
import type { AssertionIssuerAdministration } from './clients/assertion-issuer-administration.ts'
import type { AudienceAdministration } from './clients/audience-administration.ts'
import type { ClientAuthenticator } from './clients/authentication.ts'
import type { ClientAdministration } from './clients/client-administration.ts'
import type { Clients } from './clients/client-directory.ts'
import type { ClientKeys } from './clients/client-keys.ts'
import type { DetailsTypeAdministration } from './clients/details-type-administration.ts'
import type { DetailsTypes } from './clients/details-type-directory.ts'
import { apiPageRedirectUri, firstPartyAudience, firstPartyClient } from './clients/first-party.ts'
import type { ClientOrigins } from './clients/origin-directory.ts'
import type { RegistrationManagement } from './clients/registration-management.ts'
import type { RegistrationTokenAdministration } from './clients/registration-token-administration.ts'
import type { SelfRegistration } from './clients/self-registration.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import { joinAccounts } from './deps/accounts.ts'
import { type AlertOptions, joinAlerting } from './deps/alerting.ts'
import { joinAudit } from './deps/audit.ts'
import { joinAuthorize } from './deps/authorize.ts'
import { joinClients } from './deps/clients.ts'
import { joinDpop } from './deps/dpop.ts'
import { layFoundation } from './deps/foundation.ts'
import { joinGauges } from './deps/gauges.ts'
import { joinGrants } from './deps/grants.ts'
import { joinHousekeeping } from './deps/housekeeping.ts'
import { joinKeys, type KeyOptions } from './deps/keys.ts'
import { joinLogoutDelivery, type LogoutOptions } from './deps/logout-delivery.ts'
import { joinOneTimeIds } from './deps/one-time-ids.ts'
import { joinRateLimits } from './deps/rate-limits.ts'
import { tellOfLoneCounts, warnOfEviction } from './deps/redis-warning.ts'
import { joinSelfRegistration } from './deps/self-registration.ts'
import { openSharedState, type SharedState } from './deps/shared-state.ts'
import { warnOfSplit } from './deps/split-warning.ts'
import { joinTokens } from './deps/tokens.ts'
import type { DpopProofs } from './dpop/proofs.ts'
import type { DeviceRequests } from './grants/device-requests.ts'
import type { GrantTable } from './grants/grant-table.ts'
import { createHealth, type Health } from './jobs/health.ts'
import type { KeyRing } from './keys/key-ring.ts'
import type { KeyAdministration } from './keys/rotation.ts'
import type { Metrics } from './observability/metrics.ts'

import type { Outbound } from './outbound/outbound.ts'
import type { RateLimits } from './plugins/rate-limit.ts'
import type { Revocations } from './revocation/revocations.ts'
import type { CsrfTokens } from './secrets/csrf-token.ts'
import type { OneTimeIds } from './secrets/one-time-ids.ts'
import type { SchemaStatus } from './stores/postgres/migrator.ts'
import { openStorage, type Storage, type StorageOptions } from './stores/storage.ts'
import type { AccessTokenRevocation } from './tokens/access-token-revocation.ts'
import type { ClaimsRequests } from './tokens/claims-requests.ts'
import type { DeviceCodeStore } from './tokens/device-code.ts'
import type { Families } from './tokens/families.ts'
import type { IdTokenIssuer } from './tokens/id-token.ts'
import type { IdTokenHints } from './tokens/id-token-hint.ts'
import type { TokenIssuer } from './tokens/issuer.ts'
import type { Refresher } from './tokens/refresher.ts'
import type { Subjects } from './tokens/subjects.ts'
import type { AccessTokenVerifier } from './tokens/verifier.ts'

/** All parts of the service, joined. Endpoints and commands take the few that they need. */
export type Deps = {
  readonly config: Config
  readonly logger: Logger
  /** In step with the database. */
  readonly clock: Clock
  readonly mode: Storage['mode']
  readonly health: Health
  readonly keyRing: KeyRing
  readonly keyAdministration: KeyAdministration
  readonly issuer: TokenIssuer
  readonly claimsRequests: ClaimsRequests
  readonly idTokenIssuer: IdTokenIssuer
  readonly idTokenHints: IdTokenHints
  readonly subjects: Subjects
  readonly verifier: AccessTokenVerifier
  readonly refresher: Refresher
  readonly families: Families
  readonly accessTokenRevocation: AccessTokenRevocation
  readonly revocations: Revocations
  readonly clients: Clients
  readonly clientKeys: ClientKeys
  readonly clientOrigins: ClientOrigins
  readonly clientAuthenticator: ClientAuthenticator
  readonly clientAdministration: ClientAdministration
  readonly audienceAdministration: AudienceAdministration
  readonly registrationTokenAdministration: RegistrationTokenAdministration
  /** undefined: nobody may register clients. */
  readonly selfRegistration: SelfRegistration | undefined
  readonly registrationManagement: RegistrationManagement
  readonly detailsTypes: DetailsTypes
  readonly detailsTypeAdministration: DetailsTypeAdministration
  readonly assertionIssuerAdministration: AssertionIssuerAdministration
  readonly grants: GrantTable
  readonly authorizations: Authorizations
  readonly interactions: Interactions
  readonly pushedRequests: PushedRequests
  readonly deviceRequests: DeviceRequests
  readonly deviceCodes: DeviceCodeStore
  readonly accounts: Accounts
  readonly knownDevices: KnownDevices
  readonly csrfTokens: CsrfTokens
  readonly firstAdminAdministration: FirstAdminAdministration
  readonly roleAdministration: RoleAdministration
  readonly delegatedAdministration: DelegatedAdministration
  readonly userAdministration: UserAdministration
  readonly auditLog: AuditLog
  readonly auditWriter: AuditWriter
  readonly oneTimeIds: OneTimeIds
  readonly outbound: Outbound
  readonly dpopProofs: DpopProofs
  readonly rateLimits: RateLimits
  readonly metrics: Metrics
  readonly familyStories: FamilyStories
  readSchemaStatus(): Promise<SchemaStatus>
  readonly panic: Storage['panic']
  /**
   * What a service does beyond a command: its built-in client becomes what the configuration says,
   * and housekeeping begins.
   * @throws {Unavailable} when the database does not answer.
   */
  beginService(): Promise<void>
  /** Stops the jobs, writes out what waits, closes the connections. */
  close(): Promise<void>
}

/**
 * Opens what the configuration names, joins the parts and starts what runs by itself.
 * @throws {SchemaError | DataFolderError | SealError | Unavailable} with a sentence for the operator.
 */
export const createDeps = async (
  config: Config,
  logger: Logger,
  options: StorageOptions & KeyOptions & AlertOptions & LogoutOptions = {},
): Promise<Deps> => {
  const storage = await openStorage(config, logger, options)
  const sharedState = openSharedState(config, logger)
  try {
    return await join(config, logger, storage, sharedState, options)
  } catch (error) {
    await Promise.allSettled([sharedState.close(), storage.close()])
    throw error
  }
}

const join = async (
  config: Config,
  logger: Logger,
  storage: Storage,
  sharedState: SharedState,
  options: KeyOptions & AlertOptions & LogoutOptions,
): Promise<Deps> => {
  const foundation = layFoundation(config, logger, storage, sharedState)
  const { stores, clock, audiences, clientOrigins, auditWriter, metrics, revocations } = foundation
  const { detailsTypes } = foundation
  const { sealer, macKeys, subjectKey, keySchedule, ...keys } = joinKeys(
    foundation,
    storage,
    options,
  )
  const { familyStarter, ...tokens } = joinTokens(foundation, { ...keys, macKeys, subjectKey })
  const { hasher, ...people } = joinAccounts(foundation, { ...tokens, familyStarter }, macKeys)
  const oneTimeIds = joinOneTimeIds(foundation)
  const clients = joinClients(foundation, { sealer, oneTimeIds })
  const health = createHealth({ revocations, bus: sharedState.bus })
  const housekeeping = joinHousekeeping(foundation)
  const alerting = joinAlerting(foundation, options)
  const logoutDelivery = joinLogoutDelivery(foundation, tokens.logoutTokenIssuer, options)
  joinGauges(foundation, { storage, hasher, keyRing: keys.keyRing, health })
  const heldInMemory = [keys.keyRing, macKeys, subjectKey, audiences, detailsTypes, clientOrigins]

  const close = async (): Promise<void> => {
    await keySchedule.close()
    await alerting.close()
    await logoutDelivery.close()
    await housekeeping.close()
    await revocations.close()
    for (const part of heldInMemory) part.close()
    await hasher.close()
    await auditWriter.close()
    await Promise.allSettled([sharedState.close(), storage.close()])
  }

  const parts = {
    ...{ config, logger, clock, mode: storage.mode, auditWriter, revocations },
    ...keys,
    ...tokens,
    ...people,
    ...clients,
    ...joinSelfRegistration(foundation),
    oneTimeIds,
    outbound: foundation.outbound,
    dpopProofs: joinDpop(foundation, { macKeys, oneTimeIds }),
    rateLimits: joinRateLimits(foundation, macKeys, people),
    ...joinAudit(foundation),
    ...joinAuthorize(foundation, { ...keys, ...tokens, ...clients }),
    ...{ health, metrics },
    ...joinGrants(foundation, {
      ...tokens,
      familyStarter,
      oneTimeIds,
      clientKeys: clients.clientKeys,
    }),
    readSchemaStatus: storage.readSchemaStatus,
    panic: storage.panic,
    async beginService() {
      await stores.clients.ensureBuiltIn(
        firstPartyClient(firstPartyAudience(config), [apiPageRedirectUri(config)]),
      )
      warnOfSplit(config, audiences, logger)
      keySchedule.start()
      alerting.start()
      logoutDelivery.start()
      tellOfLoneCounts(config, storage.mode, logger)
      void warnOfEviction(config, logger)
      await housekeeping.start()
    },
    close,
  }
  try {
    await revocations.start()
    // One after the other: when one fails, none may start after it has been closed.
    for (const part of heldInMemory) await part.start()
  } catch (error) {
    await close()
    throw error
  }
  return parts
}
