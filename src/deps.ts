import type { Logger } from 'pino'
import { type Accounts, createAccounts } from './accounts/accounts.ts'
import {
  createUserAdministration,
  type UserAdministration,
} from './accounts/user-administration.ts'
import { type AuditWriter, createAuditWriter } from './audit/writer.ts'
import {
  type AudienceAdministration,
  createAudienceAdministration,
} from './clients/audience-administration.ts'
import { createAudienceDirectory } from './clients/audience-directory.ts'
import { type ClientAuthenticator, createClientAuthenticator } from './clients/authentication.ts'
import {
  type ClientAdministration,
  createClientAdministration,
} from './clients/client-administration.ts'
import { type Clients, createClientDirectory } from './clients/client-directory.ts'
import { firstPartyAudience, firstPartyClient } from './clients/first-party.ts'
import { type Clock, createSteeredClock } from './clock.ts'
import type { Config } from './config.ts'
import { createGrantTable, type GrantTable } from './grants/grant-table.ts'
import { createHealth, type Health } from './jobs/health.ts'
import { createHousekeeping } from './jobs/housekeeping.ts'
import { createKeyRing, type KeyRing } from './keys/key-ring.ts'
import { createMacKeyRing } from './keys/mac-key-ring.ts'
import { createKeyAdministration, type KeyAdministration } from './keys/rotation.ts'
import type { Bus } from './revocation/bus.ts'
import { revocationLifetimeSeconds } from './revocation/lifetime.ts'
import { createRevocations, type Revocations } from './revocation/revocations.ts'
import { createPasswordHasher } from './secrets/password-hasher.ts'
import { createSealer } from './secrets/sealer.ts'
import { createMemoryBus } from './stores/memory/bus.ts'
import type { SchemaStatus } from './stores/postgres/migrator.ts'
import { createStores } from './stores/postgres/stores.ts'
import { createRedisBus } from './stores/redis/bus.ts'
import { openStorage, type Storage, type StorageOptions } from './stores/storage.ts'
import {
  type AccessTokenRevocation,
  createAccessTokenRevocation,
} from './tokens/access-token-revocation.ts'
import { createFamilies, type Families } from './tokens/families.ts'
import { createFamilyStarter } from './tokens/family-start.ts'
import { createTokenIssuer, type TokenIssuer } from './tokens/issuer.ts'
import { createOutageTracker } from './tokens/outage.ts'
import { createRefresher, type Refresher } from './tokens/refresher.ts'
import { type AccessTokenVerifier, createAccessTokenVerifier } from './tokens/verifier.ts'

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
  readonly verifier: AccessTokenVerifier
  readonly refresher: Refresher
  readonly families: Families
  readonly accessTokenRevocation: AccessTokenRevocation
  readonly revocations: Revocations
  readonly clients: Clients
  readonly clientAuthenticator: ClientAuthenticator
  readonly clientAdministration: ClientAdministration
  readonly audienceAdministration: AudienceAdministration
  readonly grants: GrantTable
  readonly accounts: Accounts
  readonly userAdministration: UserAdministration
  readonly auditWriter: AuditWriter
  readSchemaStatus(): Promise<SchemaStatus>
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
  options: StorageOptions = {},
): Promise<Deps> => {
  const storage = await openStorage(config, logger, options)
  const bus = openBus(config, logger)
  try {
    return await join(config, logger, storage, bus)
  } catch (error) {
    await Promise.allSettled([bus.close(), storage.close()])
    throw error
  }
}

const openBus = (config: Config, logger: Logger): Bus =>
  config.redisUrl === undefined
    ? createMemoryBus()
    : createRedisBus({
        url: config.redisUrl,
        commandTimeoutMs: config.redisCommandTimeoutMs,
        channel: `tessera:${config.issuer}`,
        onProblem: (error) => logger.debug({ err: error }, 'Redis does not answer'),
      })

const join = async (config: Config, logger: Logger, storage: Storage, bus: Bus): Promise<Deps> => {
  const warn = (message: string) => (error: unknown) => logger.warn({ err: error }, message)
  const clock = createSteeredClock()
  const entryLifetimeSeconds = (): number =>
    revocationLifetimeSeconds(longestTokenSeconds(), config.requestTimeoutMs)
  const longestTokenSeconds = (): number =>
    Math.max(config.accessTokenTtlSeconds, audiences.longestLifetimeSeconds())

  const stores = createStores(storage.connection, entryLifetimeSeconds)
  const audiences = createAudienceDirectory({
    store: stores.audiences,
    onFailure: warn('the audiences could not be read again'),
  })
  const clients = createClientDirectory({ store: stores.clients })
  const auditWriter = createAuditWriter({
    store: stores.audit,
    onFailure: warn('audit events could not be written yet'),
  })
  const outages = createOutageTracker(stores.outages)
  const revocations = createRevocations({
    store: stores.revocations,
    bus,
    clock: clock.now,
    onReading: async (now) => {
      clock.steer(now)
      await outages.heard(now)
    },
    onFailure: warn('the revocations could not be read'),
  })

  const sealer = createSealer(storage.keyEncryptionKeys)
  const keyOptions = { sealer, clock: clock.now, logger, rsaModulusBits: config.rsaModulusBits }
  const keyRing = createKeyRing({ ...keyOptions, store: stores.signingKeys })
  const macKeys = createMacKeyRing({ ...keyOptions, store: stores.macKeys })
  const keyAdministration = announcing(
    createKeyAdministration({
      signingKeys: stores.signingKeys,
      macKeys: stores.macKeys,
      sealer,
      rsaModulusBits: config.rsaModulusBits,
      longestTokenLifetimeSeconds: async () => longestTokenSeconds(),
    }),
    async () => {
      bus.publish('keys')
      await Promise.all([keyRing.reload(), macKeys.reload()])
    },
  )

  const issuer = createTokenIssuer({
    issuer: config.issuer,
    accessTokenTtlSeconds: config.accessTokenTtlSeconds,
    keyRing,
    audiences,
  })
  const verifier = createAccessTokenVerifier({
    issuer: config.issuer,
    keyRing,
    revocations,
    clock: clock.now,
  })
  const familyStarter = createFamilyStarter(macKeys)
  const families = createFamilies({ store: stores.families, macKeys, revocations })
  const refresher = createRefresher({
    store: stores.families,
    macKeys,
    issuer,
    revocations,
    outages,
    auditWriter,
  })
  const hasher = createPasswordHasher({
    memoryKib: config.passwordHashMemoryKib,
    timeCost: config.passwordHashTimeCost,
    parallelism: config.passwordHashParallelism,
    concurrency: config.passwordHashConcurrency,
    queueLimit: config.passwordHashQueueLimit,
    onWorkerError: warn('a password-hashing thread ended'),
  })
  const housekeeping = createHousekeeping({
    chores: stores.chores,
    intervalMs: 60_000,
    onDone: (name, count) => logger.debug({ chore: name, count }, 'housekeeping'),
    onFailure: (name, error) => logger.warn({ chore: name, err: error }, 'housekeeping failed'),
  })

  bus.subscribe('keys', () => void Promise.all([keyRing.reload(), macKeys.reload()]))
  bus.subscribe('clients', () => {
    clients.invalidate()
    audiences.reload().catch(warn('the audiences could not be read again'))
  })

  const close = async (): Promise<void> => {
    await housekeeping.close()
    await revocations.close()
    for (const part of [keyRing, macKeys, audiences]) part.close()
    await hasher.close()
    await auditWriter.close()
    await Promise.allSettled([bus.close(), storage.close()])
  }

  try {
    await revocations.start()
    // One after the other: when one fails, none may start after it has been closed.
    for (const part of [keyRing, macKeys, audiences]) await part.start()
  } catch (error) {
    await close()
    throw error
  }
  const parts = { config, hasher, familyStarter, issuer, families, auditWriter, revocations }
  return {
    config,
    logger,
    clock: clock.now,
    mode: storage.mode,
    health: createHealth({ revocations, bus }),
    keyRing,
    keyAdministration,
    issuer,
    verifier,
    refresher,
    families,
    accessTokenRevocation: createAccessTokenRevocation({ store: stores.accessTokens, revocations }),
    revocations,
    clients,
    clientAuthenticator: createClientAuthenticator({
      clients,
      isRevoked: (clientId) => revocations.revokedBy({ clientId }) !== undefined,
      clock: clock.now,
      audit: auditWriter,
    }),
    clientAdministration: createClientAdministration({
      store: stores.clients,
      announce: async (clientId) => {
        clients.invalidate(clientId)
        bus.publish('clients')
        await revocations.announce()
      },
    }),
    audienceAdministration: createAudienceAdministration({
      store: stores.audiences,
      firstPartyAudience: firstPartyAudience(config),
      announce: async () => {
        bus.publish('clients')
        await audiences.reload()
      },
    }),
    grants: createGrantTable({ config, clock: clock.now, refresher }),
    accounts: createAccounts({ ...parts, users: stores.users, sessions: stores.sessions }),
    userAdministration: createUserAdministration({ users: stores.users, hasher, revocations }),
    auditWriter,
    readSchemaStatus: storage.readSchemaStatus,
    async beginService() {
      await stores.clients.ensureBuiltIn(firstPartyClient(firstPartyAudience(config)))
      await housekeeping.start()
    },
    close,
  }
}

/** After an act on keys, before its answer: this node and the others read them again. */
const announcing = (
  administration: KeyAdministration,
  announce: () => Promise<void>,
): KeyAdministration => ({
  ...administration,
  async rotate(request) {
    const plans = await administration.rotate(request)
    await announce()
    return plans
  },
  async rotateMacKey(by) {
    const rotation = await administration.rotateMacKey(by)
    await announce()
    return rotation
  },
  async reseal(by) {
    const count = await administration.reseal(by)
    await announce()
    return count
  },
})
