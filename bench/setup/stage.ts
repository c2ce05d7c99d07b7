import { randomBytes } from 'node:crypto'
import { type Config, loadConfig } from '../../src/config.ts'
import { measureStarts, type StartTimes } from '../measures/start-time.ts'
import type { Plan } from '../plan.ts'
import { startCluster } from './cluster.ts'
import { type Registrations, register } from './registrations.ts'
import { type Seed, seed } from './seed.ts'

/** A filled database and what is known of it; no service runs on it yet. */
export type Stage = {
  readonly postgres: string
  /** Environment of the service. */
  readonly env: Readonly<Record<string, string>>
  readonly databaseUrl: string
  /** The same rows once more, for twins. */
  readonly twinDatabaseUrl: string
  readonly config: Config
  readonly registrations: Registrations
  readonly seed: Seed
  readonly starts: StartTimes
}

const limits = ['DEFAULT', 'SIGN_IN', 'REGISTRATION', 'REFRESH', 'TOKEN', 'INTROSPECTION', 'ADMIN']

/** Prepares everything that the cases share, and times the starts that this takes. */
export const setStage = async (plan: Plan): Promise<Stage> => {
  const cluster = await startCluster()
  const databaseUrl = await cluster.createDatabase('service')
  const env = {
    ISSUER: 'http://localhost:4000',
    DATABASE_URL: databaseUrl,
    KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    // All the load comes from one address, and much of it from one client.
    ...Object.fromEntries(limits.map((name) => [`RATE_LIMIT_${name}`, 'off'])),
  }
  const config = loadConfig(env, () => '')
  const starts = await measureStarts(env, plan.starts)
  const registrations = register(env)
  const clientId = registrations.appClientId
  const seeded = await seed({ config, databaseUrl, clientId, families: plan.families })
  const twinDatabaseUrl = await cluster.copyDatabase('service', 'twin')
  const postgres = cluster.version
  return {
    postgres,
    env,
    databaseUrl,
    twinDatabaseUrl,
    config,
    registrations,
    seed: seeded,
    starts,
  }
}
