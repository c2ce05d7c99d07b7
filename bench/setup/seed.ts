import { hashSync } from '@node-rs/argon2'
import { pino } from 'pino'
import type { Config } from '../../src/config.ts'
import { createMacKeyRing } from '../../src/keys/mac-key-ring.ts'
import type { MacKeys } from '../../src/secrets/refresh-token.ts'
import { createSealer } from '../../src/secrets/sealer.ts'
import {
  type Connection,
  connectPostgres,
  createConnection,
} from '../../src/stores/postgres/database.ts'
import { createMacKeyStore } from '../../src/stores/postgres/mac-keys.ts'
import { createFamilyStarter, type FamilyStarter } from '../../src/tokens/family-start.ts'
import { audienceOf, type MeasuredAlgorithm, measuredAlgorithms, scope } from './registrations.ts'
import { insertSeedRows, type SeedRow, vacuum } from './seed-rows.ts'

/** What stands in the tables before anything is measured. */
export type Seed = {
  /** Of users who all have the same password. */
  readonly emails: readonly string[]
  readonly password: string
  readonly passwordHash: string
  /** By the algorithm that signs their access tokens. */
  readonly families: Readonly<Record<MeasuredAlgorithm, readonly SeededFamily[]>>
}

export type SeededFamily = { readonly id: string; readonly refreshToken: string }

type SeedOptions = {
  readonly config: Config
  readonly databaseUrl: string
  /** Whose the families are. */
  readonly clientId: string
  /** Families for each algorithm, each with a user and a session of its own. */
  readonly families: number
}

const password = 'seven rusty anchors'
const pool = { size: 1, connectTimeoutMs: 3000, statementTimeoutMs: 60_000, lockTimeoutMs: 1000 }

/** Fills a database on which the service has started once. */
export const seed = async (options: SeedOptions): Promise<Seed> => {
  const { config, databaseUrl } = options
  const connection = createConnection(await connectPostgres(databaseUrl, pool, () => {}))
  const starter = createFamilyStarter(await loadMacKeys(config, connection))
  const passwordHash = hashSync(password, {
    memoryCost: config.passwordHashMemoryKib,
    timeCost: config.passwordHashTimeCost,
    parallelism: config.passwordHashParallelism,
  })
  const emails: string[] = []
  const families: Record<MeasuredAlgorithm, SeededFamily[]> = { RS256: [], EdDSA: [] }
  for (const algorithm of measuredAlgorithms) {
    const rows = createRows(starter, options, algorithm)
    await insertSeedRows(connection.db, passwordHash, rows)
    emails.push(...rows.map(({ email }) => email))
    families[algorithm] = rows.map(({ family: { id }, refreshToken }) => ({ id, refreshToken }))
  }
  await vacuum(connection.db)
  await connection.db.destroy()
  return { emails, password, passwordHash, families }
}

const loadMacKeys = async (config: Config, connection: Connection): Promise<MacKeys> => {
  const macKeys = createMacKeyRing({
    store: createMacKeyStore(connection),
    sealer: createSealer(config.keyEncryptionKeys),
    clock: () => new Date(),
    logger: pino({ level: 'silent' }),
  })
  await macKeys.start()
  macKeys.close()
  return macKeys
}

const createRows = (
  { startFamily }: FamilyStarter,
  { config, clientId, families }: SeedOptions,
  algorithm: MeasuredAlgorithm,
): SeedRow[] =>
  Array.from({ length: families }, (_, index) => ({
    email: `${algorithm.toLowerCase()}-${index}@bench.example`,
    ...startFamily({
      // Both are made by the statement that inserts the row.
      sessionId: null,
      userId: '',
      clientId,
      scope: [scope],
      audience: [audienceOf[algorithm]],
      amr: ['pwd'],
      acr: null,
      confirmation: null,
      offline: false,
      ttlSeconds: config.refreshTokenTtlSeconds,
      idleSeconds: config.refreshIdleSeconds,
    }),
  }))
