import { randomUUID } from 'node:crypto'
import { decodeJwt } from 'jose'
import t, { type Test } from 'tap'
import { createTestDatabase } from '../support/database.ts'
import { createTestRedis } from '../support/redis.ts'
import { type ServerProcess, startServer } from '../support/server-process.ts'
import { testEnvironment } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

type Answer = { readonly status: number; readonly body: Record<string, unknown> }
type Tokens = { readonly access: string; readonly refresh: string }

/** Settings of every node of one service, which shares a PostgreSQL and a Redis. */
const sharedSettings = async (t: Test): Promise<Record<string, string>> => ({
  ...testEnvironment,
  ISSUER: `https://${randomUUID()}.example`,
  DATABASE_URL: (await createTestDatabase(t)).url,
  REDIS_URL: (await createTestRedis(t)).url,
})

const startNode = (t: Test, settings: Record<string, string>, rest: Record<string, string> = {}) =>
  startServer(t, { ...settings, ...rest })

const post = async (
  { url }: ServerProcess,
  path: string,
  body: object,
  token?: string,
): Promise<Answer> => {
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  })
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? {} : JSON.parse(text) }
}

const tokensOf = ({ status, body }: Answer): Tokens => {
  if (status !== 200 && status !== 201) throw new Error(`${status}: ${JSON.stringify(body)}`)
  return { access: body.access_token as string, refresh: body.refresh_token as string }
}

const newAccount = () => ({
  email: `${randomUUID()}@example.com`,
  password: `correct horse ${randomUUID()}`,
})

const refresh = (node: ServerProcess, token: string): Promise<Answer> =>
  post(node, '/refresh', { refresh_token: token })

const isAccepted = async (node: ServerProcess, token: string): Promise<boolean> =>
  (await post(node, '/auth/verify', { token })).body.active === true

const acceptedBy = (nodes: readonly ServerProcess[], token: string): Promise<boolean[]> =>
  Promise.all(nodes.map((node) => isAccepted(node, token)))

t.test('three processes on one PostgreSQL and one Redis are one service', async (t) => {
  const settings = await sharedSettings(t)
  // At once, so that they also make one schema and one set of keys.
  const nodes = await Promise.all([1, 2, 3].map(() => startNode(t, settings)))
  const [first, second, third] = nodes as [ServerProcess, ServerProcess, ServerProcess]
  const account = newAccount()

  await t.test('they publish the same keys', async (t) => {
    const published = await Promise.all(
      nodes.map(async ({ url }) => (await fetch(`${url}/.well-known/jwks.json`)).text()),
    )
    t.equal(new Set(published).size, 1)
  })

  const registered = tokensOf(await post(first, '/auth/register', account))

  await t.test('what one issues all accept, and any of them renews', async (t) => {
    t.strictSame(await acceptedBy(nodes, registered.access), [true, true, true])
    const renewed = tokensOf(await refresh(second, registered.refresh))
    t.strictSame(await acceptedBy(nodes, renewed.access), [true, true, true])
    const again = tokensOf(await refresh(third, registered.refresh))
    t.equal(again.refresh, renewed.refresh, 'a retry at another node continues')
    t.equal((await refresh(first, renewed.refresh)).status, 200)
  })

  await t.test('50 refreshes of one token at once are one rotation', async (t) => {
    const { refresh: parent } = tokensOf(await post(second, '/auth/login', account))
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => refresh(nodes[index % 3] ?? first, parent)),
    )
    t.equal(new Set(answers.map((answer) => tokensOf(answer).refresh)).size, 1)
  })

  await t.test('what is signed out at one is refused by all within a second', async (t) => {
    const tokens = tokensOf(await post(third, '/auth/login', account))
    t.strictSame(await acceptedBy(nodes, tokens.access), [true, true, true])
    t.equal((await post(first, '/auth/logout', {}, tokens.access)).status, 204)
    t.equal(await isAccepted(first, tokens.access), false)
    for (const node of nodes) {
      t.match(await refresh(node, tokens.refresh), {
        status: 401,
        body: { code: 'revoked_refresh_token' },
      })
    }
    await waitUntil(
      'all nodes',
      async () => !(await acceptedBy(nodes, tokens.access)).includes(true),
      { timeoutMs: 1000 },
    )
  })

  await t.test('when one is killed the others go on', async (t) => {
    const tokens = tokensOf(await post(first, '/auth/login', account))
    await first.kill()
    t.equal((await refresh(second, tokens.refresh)).status, 200)
    t.equal(await isAccepted(third, tokens.access), true)
  })
})

/** Node.js options of a process whose clock is wrong by so many seconds. */
const wrongClock = (seconds: number): Record<string, string> => {
  const code = `
    const Real = Date
    globalThis.Date = class extends Real {
      constructor(...given) {
        if (given.length === 0) super(Real.now() + ${seconds * 1000})
        else super(...given)
      }
      static now() { return Real.now() + ${seconds * 1000} }
    }`
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` }
}

t.test(
  'nodes whose clocks are five minutes fast and slow decide as one that is right',
  async (t) => {
    const settings = await sharedSettings(t)
    const nodes = await Promise.all(
      [0, 300, -300].map((seconds) => startNode(t, settings, wrongClock(seconds))),
    )
    const [right, fast, slow] = nodes as [ServerProcess, ServerProcess, ServerProcess]
    for (const node of nodes) {
      const tokens = tokensOf(await post(node, '/auth/register', newAccount()))
      const { iat = 0, exp = 0, auth_time: authTime } = decodeJwt(tokens.access)
      t.ok(Math.abs(iat - Date.now() / 1000) < 60, 'issued at the time of the database')
      t.equal(exp - iat, 900)
      t.equal(authTime, iat)
      t.strictSame(await acceptedBy(nodes, tokens.access), [true, true, true])

      const renewed = tokensOf(await refresh(fast, tokens.refresh))
      const retried = tokensOf(await refresh(slow, tokens.refresh))
      t.equal(retried.refresh, renewed.refresh, 'the window is the same for all')
      t.strictSame(await acceptedBy(nodes, retried.access), [true, true, true])

      t.equal((await post(slow, '/auth/logout', {}, retried.access)).status, 204)
      await waitUntil(
        'all nodes',
        async () => !(await acceptedBy(nodes, retried.access)).includes(true),
      )
      t.equal((await refresh(right, renewed.refresh)).status, 401)
    }
  },
)
