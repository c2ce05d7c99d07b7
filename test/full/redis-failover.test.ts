import { Redis } from 'ioredis'
import { type Test, test } from 'tap'
import { bothSay, expectService } from '../faults/whole-service.ts'
import { startNodes } from '../support/nodes.ts'
import {
  redisVersion,
  startRedisCluster,
  startRedisServer,
  startSentinel,
} from '../support/redis-server.ts'
import { register, type TestService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const ready = { status: 'ready', redis: 'up' }

const connectRedis = (t: Test, port: number): Redis => {
  const client = new Redis(port, '127.0.0.1')
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  return client
}

const isGone = (port: number): Promise<boolean> =>
  redisVersion(`redis://127.0.0.1:${port}`).then(
    () => false,
    () => true,
  )

/** Waits until a revocation on the node is told on this server. */
const expectHint = async (t: Test, node: TestService, server: Redis): Promise<void> => {
  const subscriber = server.duplicate()
  t.teardown(() => subscriber.disconnect())
  const heard: string[] = []
  subscriber.on('message', (_channel, message) => heard.push(message))
  await subscriber.subscribe(`tessera:${node.config.issuer}`)
  const { user } = await register(node.app)
  await node.deps.userAdministration.disableUser(user.id, { actor: 'cli', origin: {} })
  await waitUntil('the hint', () => heard.includes('revocations'))
}

test('Sentinel: when the master dies nothing stops, and the promoted replica carries the hints', async (t) => {
  const master = await startRedisServer(t)
  const replica = await startRedisServer(t, ['--replicaof', '127.0.0.1', `${master.port}`])
  const sentinelPort = await startSentinel(t, 'main', master)
  const sentinel = connectRedis(t, sentinelPort)
  await sentinel.call('SENTINEL', 'SET', 'main', 'down-after-milliseconds', '500')
  await sentinel.call('SENTINEL', 'SET', 'main', 'failover-timeout', '2000')
  await waitUntil('the Sentinel to know the replica', async () => {
    const replicas = (await sentinel.call('SENTINEL', 'REPLICAS', 'main')) as string[][]
    return replicas[0]?.includes('ok') && replicas[0]?.includes('slave')
  })
  const nodes = await startNodes(t, {
    REDIS_URL: `redis-sentinel://127.0.0.1:${sentinelPort}/main`,
  })
  await bothSay(nodes, ready)

  await master.kill()
  await expectService(t, nodes)
  await waitUntil(
    'the replica to be promoted',
    async () => {
      const [, port] = (await sentinel.call(
        'SENTINEL',
        'GET-MASTER-ADDR-BY-NAME',
        'main',
      )) as string[]
      return port === `${replica.port}`
    },
    { timeoutMs: 60_000 },
  )
  await bothSay(nodes, ready)
  await expectHint(t, nodes[0], connectRedis(t, replica.port))
  await expectService(t, nodes)
})

test('Cluster: when one of its servers dies nothing stops, and the others carry the hints', async (t) => {
  const [dying = 0, ...staying] = await startRedisCluster(t)
  const hosts = [dying, ...staying].map((port) => `127.0.0.1:${port}`).join(',')
  const nodes = await startNodes(t, { REDIS_URL: `redis-cluster://${hosts}` })
  await bothSay(nodes, ready)
  await expectService(t, nodes)

  // It ends without an answer.
  connectRedis(t, dying)
    .call('SHUTDOWN', 'NOSAVE')
    .catch(() => {})
  await waitUntil('the server to be gone', () => isGone(dying))
  await expectService(t, nodes)
  await bothSay(nodes, ready)
  for (const port of staying) await expectHint(t, nodes[0], connectRedis(t, port))
})
