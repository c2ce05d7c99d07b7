import t from 'tap'
import { byOperator, outcomeOf, postForm, unauthenticated } from '../endpoints/oauth/requests.ts'
import { startNodes } from '../support/nodes.ts'
import { startRedisServer } from '../support/redis-server.ts'
import { assertionClaims, assertionType, createSigner } from '../support/signer.ts'
import { waitUntil } from '../support/wait-until.ts'

// Somebody has seen an assertion on its way, and sends it again: at once and later, to the same
// node and another one, while Redis answers and when it does not.
const issuer = 'http://localhost:4000'
const redis = await startRedisServer(t)
const nodes = await startNodes(t, { REDIS_URL: redis.url })
const signer = await createSigner()
const { client } = await nodes[0].deps.clientAdministration.create(
  {
    name: 'Keys',
    authenticationMethod: 'private_key_jwt',
    settings: { jwks: { keys: [signer.jwk] } },
  },
  byOperator,
)

const sign = (special: object = {}) =>
  signer.sign({ ...assertionClaims(client.id, issuer), ...special })
const present = (assertion: string, node: 0 | 1) =>
  postForm(nodes[node].app, '/token', {
    ...{ grant_type: 'client_credentials', client_assertion_type: assertionType },
    client_assertion: assertion,
  })

t.test('of fifty uses on two nodes one succeeds, and no later one does', async (t) => {
  const assertion = await sign()
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => present(assertion, index % 2 === 0 ? 0 : 1)),
  )
  const statuses = answers.map(({ statusCode }) => statusCode).sort()
  t.strictSame(statuses, [200, ...new Array(49).fill(401)])
  for (const node of [0, 1] as const) {
    t.strictSame(outcomeOf(await present(assertion, node)), unauthenticated())
  }
})

/** Used while Redis was away. */
let taken = ''

t.test('a used assertion stays used when Redis is gone, and new ones are taken', async (t) => {
  const used = await sign()
  t.equal((await present(used, 0)).statusCode, 200)
  await redis.kill()
  for (const node of [0, 1] as const) {
    t.strictSame(outcomeOf(await present(used, node)), unauthenticated())
  }
  // What may have been made before Redis went could have been used there.
  const ahead = () => ({ iat: Math.floor(Date.now() / 1000) + 9 })
  await waitUntil('assertions to be taken again', async () => {
    taken = await sign(ahead())
    return (await present(taken, 0)).statusCode === 200
  })
  t.strictSame(outcomeOf(await present(taken, 1)), unauthenticated())
  t.strictSame(outcomeOf(await present(used, 1)), unauthenticated())
})

t.test('what was used meanwhile stays used when Redis comes back empty', async (t) => {
  await redis.start()
  await waitUntil('the nodes to use Redis again', () =>
    nodes.every(({ deps }) => deps.health.degraded().length === 0),
  )
  for (const node of [0, 1] as const) {
    t.strictSame(outcomeOf(await present(taken, node)), unauthenticated())
  }
})
