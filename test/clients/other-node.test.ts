import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { byOperator } from '../endpoints/oauth/requests.ts'
import { bothSay } from '../faults/whole-service.ts'
import { createTestRedis } from '../support/redis.ts'
import type { TestService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'
import { openChanges } from './other-node.ts'

const withinASecond = { timeoutMs: 1000 }

const publishedKeys = async ({ app }: TestService): Promise<string> =>
  (await app.inject('/.well-known/jwks.json')).body

test('with Redis the other node follows each change within a second', async (t) => {
  const { nodes, changes } = await openChanges(t, {
    // Hints go by the issuer, and nobody else's are to be heard here.
    ISSUER: `https://${randomUUID()}.example`,
    REDIS_URL: (await createTestRedis(t)).url,
  })
  await bothSay(nodes, { status: 'ready', redis: 'up' })
  for (const { what, make, state } of changes) {
    t.equal(await state(), 'old', what)
    await make()
    await waitUntil(what, async () => (await state()) === 'new', withinASecond)
  }

  const [near, far] = nodes
  const before = await publishedKeys(far)
  t.equal(await publishedKeys(near), before)
  for (const node of nodes) node.moveTime(2 * 86_400)
  const request = { algorithm: 'RS256', dryRun: false, by: byOperator } as const
  await waitUntil('the rotation', async () => {
    const [plan] = await near.deps.keyAdministration.rotate(request)
    return plan?.outcome !== 'refused'
  })
  t.not(await publishedKeys(near), before)
  await waitUntil(
    'the keys',
    async () => (await publishedKeys(far)) === (await publishedKeys(near)),
    withinASecond,
  )
})
