import { randomBytes } from 'node:crypto'
import { dropTestDatabases } from './database.ts'
import { systemPostgres } from './postgres-binaries.ts'
import { fastSettings, postgresVersion, startPostgresServer } from './postgres-server.ts'
import { redisVersion, startRedisServer } from './redis-server.ts'
import { ownedByRun } from './run-folder.ts'

/** The real servers of a run. */
export type Backends = {
  /** How tests find them. */
  readonly env: Readonly<Record<string, string>>
  /** One line for each, said at the start so that nobody has to guess what was tested. */
  readonly lines: readonly string[]
  /** Removes the run's databases from servers that outlive it. */
  close(): Promise<void>
}

type Backend = {
  readonly url: string | undefined
  readonly version?: string
  readonly line: string
}

const variables = {
  main: 'TEST_DATABASE_URL',
  system: 'TEST_DATABASE_URL_SYSTEM',
  redis: 'TEST_REDIS_URL',
} as const

/**
 * Starts what the tests need, or takes the servers that the environment names.
 *
 * @throws {Error} with a sentence that says what to do when one of them can't be had
 */
export async function startBackends(): Promise<Backends> {
  process.env.TEST_RUN_ID = randomBytes(4).toString('hex')
  const given = process.env.TEST_DATABASE_URL
  const [database, system, redis] = await Promise.all([mainPostgres(), oldPostgres(), anyRedis()])
  const env = {
    TEST_RUN_ID: process.env.TEST_RUN_ID,
    TEST_DATABASE_URL: database.url,
    TEST_DATABASE_VERSION: database.version,
    TEST_DATABASE_URL_SYSTEM: system.url,
    TEST_DATABASE_VERSION_SYSTEM: system.version,
    TEST_REDIS_URL: redis.url,
  }
  const found = Object.entries(env).filter((entry): entry is [string, string] => !!entry[1])
  return {
    env: Object.fromEntries(found),
    lines: [database.line, system.line, redis.line],
    close: async () => {
      for (const url of [given, process.env.TEST_DATABASE_URL_SYSTEM]) {
        if (url !== undefined) await dropTestDatabases(url)
      }
    },
  }
}

async function mainPostgres(): Promise<Backend> {
  const given = await named(variables.main, 'PostgreSQL', postgresVersion)
  if (given !== undefined) return given
  const server = await startPostgresServer(ownedByRun, { settings: fastSettings })
  const { url, version } = server
  return { url, version, line: `PostgreSQL ${version}` }
}

async function oldPostgres(): Promise<Backend> {
  const given = await named(variables.system, 'PostgreSQL', postgresVersion)
  if (given !== undefined) return given
  const binaries = systemPostgres()
  if (binaries === undefined) {
    return {
      url: undefined,
      line: 'No PostgreSQL 15 or newer of this machine: contracts run on the one above and PGlite only',
    }
  }
  const server = await startPostgresServer(ownedByRun, { binaries, settings: fastSettings })
  const { url, version } = server
  return { url, version, line: `PostgreSQL ${version} of this machine, for contracts` }
}

async function anyRedis(): Promise<Backend> {
  const given = await named(variables.redis, 'Redis', redisVersion)
  if (given !== undefined) return given
  const server = await startRedisServer(ownedByRun)
  return { url: server.url, line: `Redis ${server.version}` }
}

/** The server that a variable names, once it has answered. */
async function named(
  variable: string,
  product: string,
  version: (url: string) => Promise<string>,
): Promise<Backend | undefined> {
  const url = process.env[variable]
  if (url === undefined) return undefined
  try {
    const answered = await version(url)
    return { url, version: answered, line: `${product} ${answered} of ${variable}` }
  } catch (cause) {
    throw new Error(`The ${product} of ${variable} does not answer`, { cause })
  }
}
