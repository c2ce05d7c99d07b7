import { createHash, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { Client, escapeIdentifier } from 'pg'
import type { Test } from 'tap'

/** A migrated, empty database that one test has to itself. */
export type TestDatabase = { readonly url: string; drop(): Promise<void> }

const migrations = new URL('../../migrations/', import.meta.url)

/** URL of the run's main PostgreSQL; its user may create databases. */
export function testDatabaseUrl(): string {
  const url = process.env.TEST_DATABASE_URL
  if (url === undefined) {
    throw new Error('This test needs what the runner starts: npm test -- <test file>')
  }
  return url
}

/** URL of the operating system's own PostgreSQL; undefined on machines without one. */
export function systemDatabaseUrl(): string | undefined {
  return process.env.TEST_DATABASE_URL_SYSTEM
}

/** How titles name a server: by the version that it has answered with. */
export function serverTitle(which: 'main' | 'system'): string {
  const { TEST_DATABASE_VERSION: main, TEST_DATABASE_VERSION_SYSTEM: system } = process.env
  return `PostgreSQL ${{ main, system }[which]?.split(' ')[0] ?? ''}`
}

/**
 * Creates a database with the schema of all migrations and drops it after the test.
 *
 * @param serverUrl a server whose user may create databases; the run's main one by default
 */
export function createTestDatabase(
  t: Test,
  serverUrl: string = testDatabaseUrl(),
): Promise<TestDatabase> {
  return create(t, serverUrl, (client) => preparedTemplate(client, serverUrl, 'schema', migrate))
}

/**
 * As `createTestDatabase`, but filled by `prepare`, once a run for all who name the same purpose.
 *
 * @param prepare fills the empty database behind the URL and leaves no connection open
 */
export function createPreparedDatabase(
  t: Test,
  purpose: string,
  prepare: (url: string) => Promise<void>,
): Promise<TestDatabase> {
  const serverUrl = testDatabaseUrl()
  return create(t, serverUrl, (client) => preparedTemplate(client, serverUrl, purpose, prepare))
}

/** Creates a database without any schema and drops it after the test. */
export function createEmptyDatabase(
  t: Test,
  serverUrl: string = testDatabaseUrl(),
): Promise<TestDatabase> {
  return create(t, serverUrl, async () => 'template1')
}

async function create(
  t: Test,
  serverUrl: string,
  template: (client: Client) => Promise<string>,
): Promise<TestDatabase> {
  const name = `${databasePrefix()}${randomUUID()}`
  await onServer(serverUrl, async (client) => {
    const source = escapeIdentifier(await template(client))
    await client.query(`CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE ${source}`)
  })
  const drop = () => onServer(serverUrl, (client) => dropDatabase(client, name))
  t.teardown(drop)
  return { url: databaseUrl(serverUrl, name), drop }
}

/** Drops what the run has left on a server that was there before it. */
export async function dropTestDatabases(serverUrl: string): Promise<void> {
  await onServer(serverUrl, async (client) => {
    const { rows } = await client.query<{ datname: string }>(
      'SELECT datname FROM pg_database WHERE starts_with(datname, $1)',
      [databasePrefix()],
    )
    for (const { datname } of rows) await dropDatabase(client, datname)
  })
}

/** Makes the template of a purpose once a run and version of the migrations; gives its name. */
async function preparedTemplate(
  client: Client,
  serverUrl: string,
  purpose: string,
  prepare: (url: string) => Promise<void>,
): Promise<string> {
  const template = `${databasePrefix()}template_${purpose}_${migrationsDigest()}`
  if (await exists(client, template)) return template
  // Test files run side by side: one prepares it, the others wait.
  await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [template])
  if (await exists(client, template)) return template
  const unfinished = `${databasePrefix()}${randomUUID()}`
  await client.query(`CREATE DATABASE ${escapeIdentifier(unfinished)}`)
  await prepare(databaseUrl(serverUrl, unfinished))
  await client.query(
    `ALTER DATABASE ${escapeIdentifier(unfinished)} RENAME TO ${escapeIdentifier(template)}`,
  )
  return template
}

async function migrate(url: string): Promise<void> {
  const { migrateToLatest } = await import('../../src/stores/postgres/migrator.ts')
  await migrateToLatest(url)
}

function migrationsDigest(): string {
  const digest = createHash('sha256')
  for (const file of readdirSync(migrations).sort()) {
    digest.update(file).update(readFileSync(new URL(file, migrations)))
  }
  return digest.digest('hex').slice(0, 12)
}

/** Names every database of this run apart from those of another on the same server. */
function databasePrefix(): string {
  return `tessera_test_${process.env.TEST_RUN_ID ?? 'alone'}_`
}

async function exists(client: Client, name: string): Promise<boolean> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])
  return rowCount === 1
}

async function dropDatabase(client: Client, name: string): Promise<void> {
  await client.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`)
}

function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}

async function onServer<T>(url: string, act: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return await act(client)
  } finally {
    await client.end()
  }
}
