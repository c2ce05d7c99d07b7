import { test } from 'tap'
import { createMachine } from '../endpoints/oauth/requests.ts'
import { proveTo, takeNonce } from '../support/bound-tokens.ts'
import { createProofKey, nonceOf, type ProofKey } from '../support/dpop.ts'
import { startNodes } from '../support/nodes.ts'
import { createTestRedis } from '../support/redis.ts'
import { startRedisServer } from '../support/redis-server.ts'
import { startService, type TestService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

// Whoever has seen a request sends its proof again (RFC 9449 §11.1), here and on other nodes.

const ask = ({ app }: TestService, headers: Record<string, string>, dpop: string) =>
  app.inject({
    method: 'POST',
    url: '/token',
    headers: { ...headers, dpop, 'content-type': 'application/x-www-form-urlencoded' },
    payload: 'grant_type=client_credentials',
  })

const refusal = {
  error: 'invalid_dpop_proof',
  error_description: 'The DPoP proof was used before',
}

for (const memory of ['the database', 'Redis'] as const) {
  test(`a proof sent 50 times at once to two nodes is good once: remembered by ${memory}`, async (t) => {
    const redis: Record<string, string> =
      memory === 'Redis' ? { REDIS_URL: (await createTestRedis(t)).url } : {}
    const nodes = await startNodes(t, redis)
    const [first] = nodes
    const { headers } = await createMachine(first.deps)
    const key = createProofKey()
    for (let round = 0; round < 3; round += 1) {
      const proof = proveTo(first, key, { path: '/token', nonce: await takeNonce(first) })
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          ask(nodes[index % 2 === 0 ? 0 : 1], headers, proof),
        ),
      )

      const refused = answers.filter(({ statusCode }) => statusCode !== 200)
      t.equal(answers.length - refused.length, 1)
      for (const answer of refused) {
        t.equal(answer.statusCode, 400)
        t.strictSame(answer.json(), refusal)
      }
    }
  })
}

test('a proof is not good again because Redis was lost; a new one is', async (t) => {
  const redis = await startRedisServer(t)
  const service = await startService(t, { REDIS_URL: redis.url })
  await waitUntil('Redis', () => !service.deps.health.degraded().includes('redis'))
  const { headers } = await createMachine(service.deps)
  const key = createProofKey()
  const seen: string[] = []
  const prove = async (signer: ProofKey = key) => {
    const nonce = await takeNonce(service)
    const proof = proveTo(service, signer, { path: '/token', nonce })
    seen.push(proof)
    return ask(service, headers, proof)
  }
  const refuseSeen = async () => {
    for (const proof of seen) {
      const answer = await ask(service, headers, proof)
      t.equal(answer.statusCode, 400)
      t.strictSame(answer.json(), refusal)
    }
  }
  t.equal((await prove()).statusCode, 200)
  await refuseSeen()

  await redis.kill()
  await refuseSeen()
  const away = await prove()
  t.equal(away.statusCode, 200)
  t.ok(nonceOf(away))
  await refuseSeen()

  await redis.start()
  await waitUntil('Redis', () => !service.deps.health.degraded().includes('redis'))
  await refuseSeen()
  await waitUntil('a new proof is good', async () => (await prove()).statusCode === 200)
  await refuseSeen()
})
