import t from 'tap'
import { loadConfig } from '../../src/config.ts'
import { health } from '../../src/endpoints/health.ts'
import { createHealth } from '../../src/jobs/health.ts'
import { createTestServer } from '../plugins/test-server.ts'

type Situation = { stalenessMs?: number; redisProblem?: string; redisUrl?: string }

const ask = async ({ stalenessMs = 0, redisProblem, redisUrl = '' }: Situation, drain = false) => {
  const config = loadConfig({ REDIS_URL: redisUrl }, () => '')
  const state = createHealth({
    revocations: { stalenessMs: () => stalenessMs },
    bus: { problem: () => redisProblem },
  })
  if (drain) state.drain()
  const { app } = await createTestServer(t, (scope) => {
    scope.register(health, { config, health: state })
  })
  const ready = await app.inject('/health/ready')
  const live = await app.inject('/health/live')
  t.equal(live.statusCode, 200)
  t.same(live.json(), { status: 'live' })
  t.equal(ready.headers['cache-control'], 'no-store')
  return { status: ready.statusCode, body: ready.json() }
}

const redisUrl = 'redis://localhost'
const redisProblem = 'refused'

const situations: Record<string, { situation: Situation; body: object }> = {
  'all that is configured works': { situation: {}, body: { status: 'ready', database: 'up' } },
  'Redis works too': {
    situation: { redisUrl },
    body: { status: 'ready', database: 'up', redis: 'up' },
  },
  'the database is silent': {
    situation: { stalenessMs: 60_000 },
    body: { status: 'degraded', database: 'down' },
  },
  'Redis is down': {
    situation: { redisUrl, redisProblem },
    body: { status: 'degraded', database: 'up', redis: 'down' },
  },
  'both are down': {
    situation: { redisUrl, redisProblem, stalenessMs: 60_000 },
    body: { status: 'degraded', database: 'down', redis: 'down' },
  },
}

for (const [name, { situation, body }] of Object.entries(situations)) {
  t.test(`the service is alive and wants requests when ${name}`, async (t) => {
    t.same(await ask(situation), { status: 200, body })
  })
}

t.test('the service is alive but wants no requests while it drains', async (t) => {
  t.same(await ask({}, true), { status: 503, body: { status: 'draining', database: 'up' } })
})
