import { randomBytes } from 'node:crypto'
import { dropTestDatabases } from './database.ts'
import { systemPostgres } from './postgres-binaries.ts'
import { fastSettings, startPostgresServer } from './postgres-server.ts'
import { startRedisServer } from './redis-server.ts'

/** The real servers of a run. */
export type Backends = {
  /** How tests find them. */
  readonly env: Readonly<Record<string, string>>
  /** One line for each, said at the start so that nobody has to guess what was tested. */
  readonly lines: readonly string[]
  /** Removes the run's databases from servers that outlive it. */
  close(): Promise<void>
}

type Backend = { readonly url: string | undefined; readonly line: string }

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
    TEST_DATABASE_URL_SYSTEM: system.url,
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
  const url = process.env.TEST_DATABASE_URL
  if (url !== undefined) return { url, line: 'PostgreSQL of TEST_DATABASE_URL' }
  const server = await startPostgresServer({ settings: fastSettings })
  return { url: server.url, line: `PostgreSQL ${server.version}` }
}

async function oldPostgres(): Promise<Backend> {
  const url = process.env.TEST_DATABASE_URL_SYSTEM
  if (url !== undefined) return { url, line: 'PostgreSQL of TEST_DATABASE_URL_SYSTEM' }
  const binaries = systemPostgres()
  if (binaries === undefined) {
    return {
      url: undefined,
      line: 'PostgreSQL 15 not on this machine: contract runs on 18 and PGlite only',
    }
  }
  const server = await startPostgresServer({ binaries, settings: fastSettings })
  return { url: server.url, line: `PostgreSQL ${server.version} of this machine, for contracts` }
}

async function anyRedis(): Promise<Backend> {
  const url = process.env.TEST_REDIS_URL
  if (url !== undefined) return { url, line: 'Redis of TEST_REDIS_URL' }
  const server = await startRedisServer()
  return { url: server.url, line: `Redis ${server.version}` }
}
