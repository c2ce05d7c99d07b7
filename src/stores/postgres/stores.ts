import { createAccessTokenStore } from './access-tokens.ts'
import { createUserStore } from './accounts.ts'
import { createAssertionIssuerStore } from './assertion-issuers.ts'
import { createAudienceStore } from './audiences.ts'
import { createAuditStore } from './audit.ts'
import { createAlertStore } from './audit-alerts.ts'
import { createFamilyRecords } from './audit-families.ts'
import { createAuditLog } from './audit-log.ts'
import { createAuditPartitions } from './audit-partitions.ts'
import { createAuditRetention } from './audit-retention.ts'
import { createAuthorizationCodeStore } from './authorization-codes.ts'
import { createAuthorizationRequestStore } from './authorization-requests.ts'
import { createClaimsRequests } from './claims-requests.ts'
import { createClientStore } from './clients.ts'
import { createConsentStore } from './consents.ts'
import type { Connection } from './database.ts'
import { createDetailsTypeStore } from './details-types.ts'
import { createDeviceCodeStore } from './device-codes.ts'
import { createKeyEmergencyStore } from './key-emergencies.ts'
import { createKeyPruners } from './key-pruning.ts'
import { createLogoutNoticeStore } from './logout-notices.ts'
import { createMacKeyStore } from './mac-keys.ts'
import { createOneTimeIdStore } from './one-time-ids.ts'
import { createOutageStore } from './outages.ts'
import { createPruners } from './pruning.ts'
import { createRefreshFamilyStore } from './refresh-families.ts'
import { createRegistrationTokenStore } from './registration-tokens.ts'
import { createRevocationStore } from './revocations.ts'
import { createRoleStore } from './roles.ts'
import { createSealedClientSecretStore } from './sealed-client-secrets.ts'
import { createSelfRegistrationStore } from './self-registrations.ts'
import { createSessionStore } from './sessions.ts'
import { createSigningKeyStore } from './signing-keys.ts'
import { createSubjectKeyStore } from './subject-key.ts'

/**
 * Every SQL store on one connection.
 * @param entryLifetimeSeconds how long a revocation entry must outlive its act.
 * @param auditRetentionDays how old audit events must be to go.
 */
export const createStores = (
  connection: Connection,
  entryLifetimeSeconds: () => number,
  auditRetentionDays: number,
) => ({
  accessTokens: createAccessTokenStore(connection, entryLifetimeSeconds),
  assertionIssuers: createAssertionIssuerStore(connection),
  audiences: createAudienceStore(connection),
  alerts: createAlertStore(connection),
  audit: createAuditStore(connection),
  auditLog: createAuditLog(connection),
  detailsTypes: createDetailsTypeStore(connection),
  deviceCodes: createDeviceCodeStore(connection),
  familyRecords: createFamilyRecords(connection),
  authorizationCodes: createAuthorizationCodeStore(connection, entryLifetimeSeconds),
  authorizationRequests: createAuthorizationRequestStore(connection),
  claimsRequests: createClaimsRequests(connection),
  clients: createClientStore(connection, entryLifetimeSeconds),
  consents: createConsentStore(connection, entryLifetimeSeconds),
  families: createRefreshFamilyStore(connection, entryLifetimeSeconds),
  keyEmergencies: createKeyEmergencyStore(connection, entryLifetimeSeconds),
  logoutNotices: createLogoutNoticeStore(connection),
  macKeys: createMacKeyStore(connection),
  oneTimeIds: createOneTimeIdStore(connection),
  outages: createOutageStore(connection),
  chores: [
    createAuditPartitions(connection),
    createAuditRetention(connection, auditRetentionDays),
    ...createPruners(connection),
    ...createKeyPruners(connection),
  ],
  registrationTokens: createRegistrationTokenStore(connection),
  selfRegistrations: createSelfRegistrationStore(connection, entryLifetimeSeconds),
  revocations: createRevocationStore(connection),
  roles: createRoleStore(connection),
  sealedClientSecrets: createSealedClientSecretStore(connection),
  sessions: createSessionStore(connection, entryLifetimeSeconds),
  signingKeys: createSigningKeyStore(connection),
  subjectKeys: createSubjectKeyStore(connection),
  users: createUserStore(connection, entryLifetimeSeconds),
})
