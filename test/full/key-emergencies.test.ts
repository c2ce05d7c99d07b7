import { decodeProtectedHeader } from 'jose'
import { test } from 'tap'
import { isAccepted, refresh, startNodes, tokenOf } from '../support/nodes.ts'
import { register, type TestService } from '../support/service.ts'
import { waitUntil } from '../support/wait-until.ts'

const operator = { actor: 'cli', origin: {} }

const keyOf = (token: string): string => decodeProtectedHeader(token).kid ?? ''
const publishes = async ({ app }: TestService, keyId: string): Promise<boolean> =>
  (await app.inject({ url: '/.well-known/jwks.json' })).body.includes(keyId)

/** Milliseconds until a node refuses a token that it has accepted so far. */
const timeToRefuse = async (node: TestService, token: string): Promise<number> => {
  const begun = performance.now()
  await waitUntil('the other node to refuse it', async () => !(await isAccepted(node, token)))
  return performance.now() - begun
}

test('one leaked key: its tokens are refused everywhere within a second, and refreshes go on', async (t) => {
  const [near, far] = await startNodes(t)
  const person = await register(near.app)
  t.equal(await isAccepted(far, person.access_token), true)
  const leaked = keyOf(person.access_token)
  const request = { algorithm: 'RS256', revoke: leaked, dryRun: false, by: operator } as const
  const plan = await near.deps.keyAdministration.promoteNext(request)
  t.match(plan, { outcome: 'done', revoked: [leaked], promoted: String })

  t.equal(await isAccepted(near, person.access_token), false, 'here before the answer')
  t.equal(await publishes(near, leaked), false)
  t.ok((await timeToRefuse(far, person.access_token)) < 1000, 'there without Redis')
  const token = await waitUntil('the other node to sign with the successor', async () => {
    const answer = await refresh(far, person.refresh_token)
    return keyOf(String(answer.body.access_token)) === leaked ? undefined : answer
  })
  t.equal(keyOf(String(token.body.access_token)), plan.outcome === 'done' && plan.promoted)
  t.equal(await publishes(far, leaked), false)
  for (const node of [near, far]) {
    t.equal(await isAccepted(node, String(token.body.access_token)), true)
  }
})

test('a node that has heard of the revoked key, but not of its successor, asks before it signs', async (t) => {
  const [near, far] = await startNodes(t)
  const leaked = keyOf((await register(far.app)).access_token)
  const request = { algorithm: 'RS256', revoke: leaked, dryRun: false, by: operator } as const
  await near.deps.keyAdministration.promoteNext(request)
  await far.deps.revocations.announce()
  const tokens = await Promise.all(Array.from({ length: 5 }, () => register(far.app)))
  t.strictSame(
    tokens.filter(({ access_token }) => keyOf(access_token) === leaked),
    [],
  )
})

test('everything leaked: all tokens are refused everywhere within a second, and people sign in again', async (t) => {
  const [near, far] = await startNodes(t)
  const person = await register(near.app)
  const plan = await near.deps.keyAdministration.replaceAll({
    ...{ keepRefreshTokens: false, dryRun: false, by: operator },
  })
  t.match(plan, { outcome: 'done' })
  t.equal(await isAccepted(near, person.access_token), false)
  t.ok((await timeToRefuse(far, person.access_token)) < 1000)
  for (const node of [near, far]) {
    const { status, body } = await refresh(node, person.refresh_token)
    t.strictSame([status, body.code], [401, 'invalid_refresh_token'])
  }
  const again = await register(far.app)
  const { status, body } = await refresh(near, again.refresh_token)
  t.equal(status, 200)
  for (const node of [near, far]) {
    t.equal(await isAccepted(node, again.access_token), true)
    t.equal(await isAccepted(node, String(body.access_token)), true)
  }
})

test('everything leaked, and nobody is to be signed out: refresh tokens go on under the new key', async (t) => {
  const [near, far] = await startNodes(t)
  const person = await register(near.app)
  await near.deps.keyAdministration.replaceAll({
    ...{ keepRefreshTokens: true, dryRun: false, by: operator },
  })
  t.equal(await isAccepted(near, person.access_token), false)
  const first = tokenOf(await refresh(near, person.refresh_token))
  const numberOf = (token: string) => Buffer.from(token.slice(4), 'base64url').readUInt8(0)
  t.strictSame([numberOf(person.refresh_token), numberOf(first)], [1, 2])
  t.equal((await refresh(far, first)).status, 200)
})

test('introspection calls tokens of a revoked key inactive', async (t) => {
  const [near, far] = await startNodes(t)
  const client = await near.deps.clientAdministration.create(
    { name: 'machine', grantTypes: ['client_credentials'], audience: ['https://api.example'] },
    operator,
  )
  const post = async ({ app }: TestService, url: string, body: Record<string, string>) => {
    const secret = `${client.client.id}:${client.secret}`
    const response = await app.inject({
      method: 'POST',
      url,
      headers: {
        authorization: `Basic ${Buffer.from(secret).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      payload: new URLSearchParams(body).toString(),
    })
    return response.json<Record<string, unknown>>()
  }
  const { access_token } = await post(near, '/token', { grant_type: 'client_credentials' })
  const token = String(access_token)
  t.match(await post(far, '/introspect', { token }), { active: true })
  const request = { algorithm: 'RS256', revoke: keyOf(token), dryRun: false, by: operator } as const
  await near.deps.keyAdministration.promoteNext(request)
  t.strictSame(await post(near, '/introspect', { token }), { active: false })
  await far.deps.revocations.announce()
  t.strictSame(await post(far, '/introspect', { token }), { active: false })
})
