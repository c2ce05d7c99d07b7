import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { freePort } from './free-port.ts'
import { embeddedPostgres, type PostgresBinaries } from './postgres-binaries.ts'
import { type MakeCluster, makeCluster } from './postgres-cluster.ts'
import { noteProcess, type Owner, temporaryFolder } from './run-folder.ts'
import { postgresUser } from './service-user.ts'
import { waitUntil } from './wait-until.ts'

/** Settings of postgresql.conf by name, such as `{ max_connections: '20' }`. */
export type PostgresSettings = Readonly<Record<string, string>>

/** Trades durability, which only a power cut would test, for speed. */
export const fastSettings: PostgresSettings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '300',
}

/** As fast as can be without losing what was committed when the processes are killed. */
export const keptThroughKill: PostgresSettings = { ...fastSettings, synchronous_commit: 'on' }

/** A PostgreSQL of a test's own, on loopback, without a password. */
export type PostgresServer = {
  /** Of the superuser, for the database `postgres`; the same after a restart. */
  readonly url: string
  readonly port: number
  readonly version: string
  start(): Promise<void>
  /** Ends it in an orderly way, breaking off open transactions. */
  stop(): Promise<void>
  /** Ends all of its processes as kill -9 does, or a crash of the machine's software. */
  kill(): Promise<void>
  /** Stops all of its processes in mid-work, as a machine that hangs does, until `resume`. */
  pause(): void
  resume(): void
  /** Its processes, the first of them first. */
  pids(): readonly number[]
  /** Where its cluster is. */
  readonly data: string
}

/**
 * Makes a new cluster and starts its server; it ends with its owner.
 *
 * @throws {Error} with the server's log when it does not come up
 */
export async function startPostgresServer(
  owner: Owner,
  {
    binaries = embeddedPostgres(),
    settings = {} as PostgresSettings,
    /** Variables of its processes beside those of this one. */
    environment = {} as Readonly<Record<string, string>>,
    /** Fills the server's folder with a cluster. */
    make = makeCluster as MakeCluster,
  } = {},
): Promise<PostgresServer> {
  const folder = temporaryFolder(`postgres-${binaries.major}`)
  const data = join(folder, 'data')
  await make(binaries, folder, data)
  const port = await freePort()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const launch = () => spawnPostgres(binaries, { folder, data, port, settings, environment })
  let child: ChildProcess | undefined

  const server = {
    url,
    port,
    data,
    async start() {
      child = await ready(launch, url, join(folder, 'log'))
    },
    stop: () => end('SIGINT'),
    async kill() {
      const backends = childrenOf(child)
      const ended = end('SIGKILL')
      // They would notice its death, but may answer once more before that.
      for (const pid of backends) signal(pid, 'SIGKILL')
      await ended
    },
    pause: () => signalAll('SIGSTOP'),
    resume: () => signalAll('SIGCONT'),
    pids: () => (child?.pid === undefined ? [] : [child.pid, ...childrenOf(child)]),
  }
  function signalAll(name: NodeJS.Signals) {
    for (const pid of server.pids()) signal(pid, name)
  }
  async function end(name: NodeJS.Signals) {
    if (child === undefined || hasEnded(child)) return
    child.kill(name)
    signalAll('SIGCONT')
    await once(child, 'exit')
  }
  owner.teardown(server.stop)
  await server.start()
  return { ...server, version: await postgresVersion(url) }
}

function spawnPostgres(
  binaries: PostgresBinaries,
  at: {
    folder: string
    data: string
    port: number
    settings: PostgresSettings
    environment: Readonly<Record<string, string>>
  },
): ChildProcess {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: `${at.port}`,
    unix_socket_directories: '',
    ...at.settings,
  }
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const log = openSync(join(at.folder, 'log'), 'a')
  const child = spawn(join(binaries.folder, 'postgres'), ['-D', at.data, ...args], {
    ...postgresUser(),
    env: { ...process.env, ...at.environment },
    cwd: at.folder,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  // An immediate shutdown takes the shared memory with it, which a kill would not.
  noteProcess(child, { signal: 'QUIT' })
  return child
}

/** Starts until it stays up: after a kill the old backends may hold the data for a moment. */
async function ready(launch: () => ChildProcess, url: string, log: string): Promise<ChildProcess> {
  let child = launch()
  try {
    await waitUntil(
      `PostgreSQL at ${url}`,
      async () => {
        if (hasEnded(child)) child = launch()
        return (await postgresVersion(url)) !== ''
      },
      { timeoutMs: 30_000, intervalMs: 50 },
    )
  } catch (cause) {
    child.kill('SIGKILL')
    throw new Error(`PostgreSQL did not start:\n${readFileSync(log, 'utf8')}`, { cause })
  }
  return child
}

/** Asks a server for its version. */
export async function postgresVersion(connectionString: string): Promise<string> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 2000 })
  client.on('error', () => {})
  await client.connect()
  try {
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version')
    return rows[0]?.server_version ?? ''
  } finally {
    await client.end()
  }
}

/** The processes that it has started, where /proc shows them. */
function childrenOf(child: ChildProcess | undefined): number[] {
  if (child === undefined || hasEnded(child)) return []
  const list = `/proc/${child.pid}/task/${child.pid}/children`
  const text = existsSync(list) ? readFileSync(list, 'utf8') : ''
  return (text.match(/\d+/g) ?? []).map(Number)
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended by itself.
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
