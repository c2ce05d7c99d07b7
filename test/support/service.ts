import { readFileSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import type { Kysely } from 'kysely'
import type { Test } from 'tap'
import { buildApp } from '../../src/app.ts'
import { type Config, loadConfig } from '../../src/config.ts'
import type { AlertOptions } from '../../src/deps/alerting.ts'
import type { KeyOptions } from '../../src/deps/keys.ts'
import type { LogoutOptions } from '../../src/deps/logout-delivery.ts'
import { createDeps, type Deps } from '../../src/deps.ts'
import { createLogger } from '../../src/plugins/logger.ts'
import { connectPostgres } from '../../src/stores/postgres/database.ts'
import type { Database } from '../../src/stores/postgres/schema.ts'
import { createPreparedDatabase, createTestDatabase } from './database.ts'
import { refuseSecrets } from './secrets-in-log.ts'
import { poolOptions } from './sql-backends.ts'

/** The whole service in this process, on a real PostgreSQL. */
export type TestService = {
  readonly app: FastifyInstance
  readonly deps: Deps
  readonly config: Config
  readonly databaseUrl: string
  /** Moves the database's time, which is the service's. */
  moveTime(seconds: number): void
  /** Lines that the service has logged. */
  readonly log: readonly string[]
}

/** 32 bytes that seal the keys of test databases. */
export const testKeyEncryptionKey = Buffer.alloc(32, 7).toString('base64')

const outOfReach = '1000000/60'

/**
 * Cheap passwords and small keys: what is tested here is not how long they take to break. Limits
 * that only their own tests meet, and no shedding because a machine has other work to do.
 */
export const testEnvironment = {
  ISSUER: 'http://localhost:4000',
  KEY_ENCRYPTION_KEY: testKeyEncryptionKey,
  PASSWORD_HASH_MEMORY_KIB: '64',
  PASSWORD_HASH_TIME_COST: '1',
  RSA_MODULUS_BITS: '2048',
  RATE_LIMIT_DEFAULT: outOfReach,
  RATE_LIMIT_SIGN_IN: outOfReach,
  RATE_LIMIT_REGISTRATION: outOfReach,
  RATE_LIMIT_REFRESH: outOfReach,
  RATE_LIMIT_TOKEN: outOfReach,
  RATE_LIMIT_INTROSPECTION: outOfReach,
  RATE_LIMIT_USER_CODE: outOfReach,
  RATE_LIMIT_USER_CODES: outOfReach,
  RATE_LIMIT_ADMIN: outOfReach,
  OVERLOAD_EVENT_LOOP_DELAY_MS: '0',
} as const

/** Makes a service begin with keys that no other service of the run has. */
export const keysOfItsOwn = { KEY_ENCRYPTION_KEY: Buffer.alloc(32, 8).toString('base64') }

// Making keys takes most of a first start, so all services of a run begin with the same ones.
const createDatabase = (t: Test, environment: Readonly<Record<string, string>>) =>
  environment.KEY_ENCRYPTION_KEY === undefined
    ? createPreparedDatabase(t, 'keys', async (url) => {
        const config = loadConfig({ ...testEnvironment, DATABASE_URL: url }, () => '')
        const deps = await createDeps(config, createLogger('silent'))
        await deps.beginService()
        await deps.close()
      })
    : createTestDatabase(t)

/**
 * Starts the service for one test and closes it afterwards.
 * @param environment what differs from `testEnvironment`; DATABASE_URL makes it another node of a
 *   service that runs already.
 * @param options let the days in the life of a key pass in seconds, and alerts come at once
 */
export const startService = async (
  t: Test,
  environment: Readonly<Record<string, string>> = {},
  options: KeyOptions & AlertOptions & LogoutOptions = {},
): Promise<TestService> => {
  const databaseUrl = environment.DATABASE_URL ?? (await createDatabase(t, environment)).url
  const config = loadConfig(
    { ...testEnvironment, DATABASE_URL: databaseUrl, ...environment },
    (path) => readFileSync(path, 'utf8'),
  )
  const log: string[] = []
  const logger = createLogger('trace', { write: (line) => log.push(line) })
  t.teardown(() => refuseSecrets(log))
  let offset = 0
  const deps = await createDeps(config, logger, { timeOffset: () => offset, ...options })
  t.teardown(() => deps.close())
  await deps.beginService()
  const app = await buildApp(deps)
  t.teardown(() => app.close())
  return {
    app,
    deps,
    config,
    databaseUrl,
    moveTime(seconds) {
      offset += seconds
    },
    log,
  }
}

/** Registers somebody new. @returns the tokens, and what is needed to sign in again. */
export const register = async (
  app: FastifyInstance,
  email = `${crypto.randomUUID()}@example.com`,
) => {
  const password = `correct horse ${crypto.randomUUID()}`
  const response = await app.inject({
    method: 'POST',
    url: '/auth/register',
    payload: { email, password },
  })
  const body = response.json<{
    access_token: string
    refresh_token: string
    user: { id: string; email: string }
  }>()
  if (response.statusCode !== 201) throw new Error(`registration failed: ${response.body}`)
  return { email, password, ...body }
}

/** A connection of the test's own to the service's database. */
export const connect = async (
  t: Test,
  { databaseUrl }: Pick<TestService, 'databaseUrl'>,
): Promise<Kysely<Database>> => {
  const db = await connectPostgres(databaseUrl, poolOptions, () => {})
  t.teardown(() => db.destroy())
  return db
}
