import { Redis } from 'ioredis'
import { type Test, test } from 'tap'
import { createRedisBus } from '../../src/stores/redis/bus.ts'
import { startRedisCluster, startRedisServer, startSentinel } from '../support/redis-server.ts'
import { redisServers } from '../support/redis-servers.ts'
import { waitUntil } from '../support/wait-until.ts'

const open = (t: Test, url: string) => {
  const heard = { keys: 0 }
  const problems: string[] = []
  const bus = createRedisBus({
    servers: redisServers(url),
    channel: 'tessera:test',
    commandTimeoutMs: 1000,
    onProblem: ({ message }) => void problems.push(message),
  })
  t.teardown(() => bus.close())
  bus.subscribe('keys', () => {
    heard.keys += 1
  })
  return { bus, heard, problems }
}

/** A hint of one node reaches the other. */
const isHeard = async (t: Test, url: string): Promise<void> => {
  const [one, other] = [open(t, url), open(t, url)]
  for (const { bus, heard } of [one, other]) {
    await waitUntil('the subscription', () => bus.problem() === undefined && heard.keys > 0)
  }
  const before = other.heard.keys
  await waitUntil('the hint', () => {
    one.bus.publish('keys')
    return other.heard.keys > before
  })
}

test('bus on Redis: redis:// with the password of the server, whatever its characters', async (t) => {
  const { port, url } = await startRedisServer(t)
  const password = 'a:b@c/d %'
  const admin = new Redis(url)
  await admin.config('SET', 'requirepass', password)
  admin.disconnect()
  await isHeard(t, `redis://:${encodeURIComponent(password)}@127.0.0.1:${port}`)
})

test('bus on Redis: redis-sentinel:// names the master that Sentinels watch', async (t) => {
  const port = await startSentinel(t, 'main', await startRedisServer(t))
  await isHeard(t, `redis-sentinel://127.0.0.1:1,127.0.0.1:${port}/main`)
})

test('bus on Redis: redis-cluster:// reaches all nodes, whichever is asked', async (t) => {
  const ports = await startRedisCluster(t)
  await isHeard(t, `redis-cluster://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`)
})

// A user of its own, where the default one may nothing (redis.io: ACL).
const restrict = async (port: number): Promise<void> => {
  const admin = new Redis(port)
  await admin.acl('SETUSER', 'tessera', 'on', '>s3:cr/et', '~*', '&*', '+@all')
  await admin.acl('SETUSER', 'default', 'off')
  admin.disconnect()
}
const withUser = `tessera:${encodeURIComponent('s3:cr/et')}@`

test('bus on Redis: redis-cluster:// signs in as the user that it names', async (t) => {
  const ports = await startRedisCluster(t)
  for (const port of ports) await restrict(port)
  await isHeard(t, `redis-cluster://${withUser}127.0.0.1:${ports[0]}`)
})

test('bus on Redis: redis-sentinel:// signs in at the master as the user that it names', async (t) => {
  const server = await startRedisServer(t)
  const port = await startSentinel(t, 'main', server)
  await restrict(server.port)
  await isHeard(t, `redis-sentinel://${withUser}127.0.0.1:${port}/main`)
})

test('bus on Redis: a Sentinel that knows no such master is a problem that is told', async (t) => {
  const port = await startSentinel(t, 'main', await startRedisServer(t))
  const { bus, problems } = open(t, `redis-sentinel://127.0.0.1:${port}/other`)
  await waitUntil('the problem', () => problems.length > 0)
  t.type(bus.problem(), 'string')
})
