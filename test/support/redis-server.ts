import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
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

/**
 * Starts a Sentinel that watches a server under a name; it ends with its owner.
 *
 * @returns its port
 */
export async function startSentinel(
  owner: Owner,
  name: string,
  { port: watched }: Pick<RedisServer, 'port'>,
): Promise<number> {
  const program = await systemTool(redis)
  const port = await freePort()
  const file = join(temporaryFolder('sentinel'), 'sentinel.conf')
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `sentinel monitor ${name} 127.0.0.1 ${watched} 1`,
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  const child = spawn(program, [file, '--sentinel'], { stdio: 'ignore' })
  noteProcess(child)
  owner.teardown(async () => {
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  await waitUntil('the Sentinel', () => redisVersion(`redis://127.0.0.1:${port}`))
  return port
}

/** Starts a cluster of three masters without replicas. @returns their ports */
export async function startRedisCluster(owner: Owner): Promise<readonly number[]> {
  const nodes = await Promise.all(
    [0, 1, 2].map(async () => {
      const busPort = await freePort()
      const args = ['--cluster-enabled', 'yes', '--cluster-port', `${busPort}`]
      return { busPort, server: await startRedisServer(owner, args) }
    }),
  )
  const clients = nodes.map(({ server }) => new Redis(server.url))
  try {
    const slots = [
      [0, 5460],
      [5461, 10_922],
      [10_923, 16_383],
    ] as const
    for (const [index, client] of clients.entries()) {
      await client.call('CLUSTER', 'ADDSLOTSRANGE', ...(slots[index] ?? []))
      for (const { server, busPort } of nodes) {
        await client.call('CLUSTER', 'MEET', '127.0.0.1', server.port, busPort)
      }
    }
    await waitUntil('the cluster', async () => {
      const infos = await Promise.all(clients.map((client) => client.call('CLUSTER', 'INFO')))
      return infos.every((info) => /cluster_state:ok.*cluster_known_nodes:3/s.test(String(info)))
    })
  } finally {
    for (const client of clients) client.disconnect()
  }
  return nodes.map(({ server }) => server.port)
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
