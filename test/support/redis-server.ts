import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort } from './free-port.ts'
import { noteProcess, type Owner, temporaryFolder } from './run-folder.ts'
import { systemTool } from './system-tool.ts'
import { waitUntil } from './wait-until.ts'

const redis = {
  programs: ['redis-server', 'valkey-server'],
  debianPackage: 'redis-server',
  otherwise: 'set TEST_REDIS_URL to a Redis 7 or Valkey',
} as const

/** A Redis of a test's own, on loopback, without a password, which keeps nothing on disk. */
export type RedisServer = {
  readonly url: string
  readonly port: number
  readonly version: string
  start(): Promise<void>
  /** Ends it at once; what it held is gone after the next start. */
  kill(): Promise<void>
  /** Stops answering, as an overloaded machine does, until `resume`. */
  pause(): void
  resume(): void
}

/**
 * Starts a Redis; it ends with its owner.
 *
 * @param args options of redis-server, such as `['--maxmemory', '2mb']`
 * @throws {MissingTool} when the machine has none and it can't be installed
 */
export async function startRedisServer(
  owner: Owner,
  args: readonly string[] = [],
): Promise<RedisServer> {
  const program = await systemTool(redis)
  const folder = temporaryFolder('redis')
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  const log = join(folder, 'log')
  let child: ChildProcess | undefined

  const server = {
    url,
    port,
    async start() {
      child = spawnRedis(program, ['--port', `${port}`, '--dir', folder, '--logfile', log, ...args])
      await waitUntil(`Redis at ${url}`, () => redisVersion(url)).catch((cause: unknown) => {
        throw new Error(`Redis did not start:\n${readFileSync(log, 'utf8')}`, { cause })
      })
    },
    async kill() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
  }
  owner.teardown(server.kill)
  await server.start()
  return { ...server, version: await redisVersion(url) }
}

function spawnRedis(program: string, args: readonly string[]): ChildProcess {
  const memoryOnly = ['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction']
  const options = ['--bind', '127.0.0.1', '--databases', '1024', ...memoryOnly, ...args]
  const child = spawn(program, options, { stdio: 'ignore' })
  noteProcess(child)
  return child
}

/** Asks a server for its version. */
export async function redisVersion(url: string): Promise<string> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null })
  client.on('error', () => {})
  try {
    await client.connect()
    return /redis_version:(\S+)/.exec(await client.info('server'))?.[1] ?? ''
  } finally {
    client.disconnect()
  }
}
