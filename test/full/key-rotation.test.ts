import { setTimeout as delay } from 'node:timers/promises'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { type Test, test } from 'tap'
import { signingAlgorithms } from '../../src/oauth/algorithm.ts'
import { refresh, tokenOf } from '../support/nodes.ts'
import { connect, register, startService, type TestService } from '../support/service.ts'
import { createCachingVerifier, createJoseVerifier, type Verifier } from '../support/verifiers.ts'

// A minute passes in a second: the key set may be cached for 300 + 60 seconds.
const keyOptions = {
  keyTiming: {
    minimumPublicationSeconds: 0,
    maxAgeSeconds: 5,
    staleWhileRevalidateSeconds: 1,
    nodeReloadSeconds: 0.5,
    skewSeconds: 1,
  },
  keyRotationSeconds: 1,
}
const cacheTimesMs = [17, 100, 500, 1000, 2000, 3000, 4000, 5000, 6000]
const durationMs = 40_000
const lifetimeSeconds = 4
/** What the clocks of the nodes, which follow the database's, may be wrong. */
const clockErrorMs = 100

type Issued = { readonly keyId: string; readonly startedAt: number }

const issue = async ({ deps }: TestService, audience: string): Promise<string> => {
  const { accessToken } = await deps.issuer.issueAccessToken({
    ...{ clientId: 'app', subject: 'app', scope: [], audience: [audience] },
    issuedAt: deps.clock(),
  })
  return accessToken
}

const anyOf = (verifiers: readonly Verifier[]): Verifier =>
  verifiers[Math.floor(Math.random() * verifiers.length)] as Verifier

/** Verifies a token now, later, and shortly before it expires, each time by a few verifiers. */
const verifyForItsLife = async (
  token: string,
  verifiers: readonly Verifier[],
  failures: string[],
): Promise<void> => {
  const endsAt = Number(decodeJwt(token).exp) * 1000
  for (const share of [0, Math.random(), 0.95]) {
    await delay(Math.max(0, endsAt - Date.now()) * share)
    // On a machine that is busy it may have expired by now.
    if (Date.now() >= endsAt) return
    for (const { name, verify } of [1, 2, 3].map(() => anyOf(verifiers))) {
      await verify(token).catch((error: Error) => failures.push(`${name}: ${error.message}`))
    }
  }
}

const startLoad = async (t: Test) => {
  const environment = {
    ACCESS_TOKEN_TTL_SECONDS: `${lifetimeSeconds}`,
    RATE_LIMIT_REFRESH: 'off',
  }
  const first = await startService(t, environment, keyOptions)
  for (const algorithm of signingAlgorithms) {
    const settings = { name: algorithm, signingAlgorithm: algorithm }
    await first.deps.audienceAdministration.set(settings, { actor: 'cli', origin: {} })
  }
  const joining = { ...environment, DATABASE_URL: first.databaseUrl }
  const nodes = [first, await startService(t, joining, keyOptions)] as const
  await Promise.all(nodes.map(({ app }) => app.listen({ port: 0, host: '127.0.0.1' })))
  const verifiers = nodes.flatMap(({ app }) => {
    const url = app.listeningOrigin
    return [
      ...cacheTimesMs.map((cacheMs) => createCachingVerifier(app, cacheMs, lifetimeSeconds)),
      ...[17, 6000].map((cacheMs) => createJoseVerifier(url, cacheMs, lifetimeSeconds)),
    ]
  })
  return { nodes, verifiers }
}

test('a rotation every few seconds, verifiers that cache for 1 to 360 s, two nodes: no failure', async (t) => {
  const { nodes, verifiers } = await startLoad(t)
  const failures: string[] = []
  const issued: Issued[] = []
  const verifications: Promise<void>[] = []
  const until = Date.now() + durationMs
  // Kept warm from the beginning: a cache that is empty proves nothing.
  const first = await issue(nodes[0], 'RS256')
  await Promise.all(verifiers.map(({ verify }) => verify(first)))

  const issueOn = async (node: TestService): Promise<void> => {
    while (Date.now() < until) {
      for (const audience of signingAlgorithms) {
        const startedAt = Date.now()
        const token = await issue(node, audience)
        issued.push({ keyId: decodeProtectedHeader(token).kid ?? '', startedAt })
        verifications.push(verifyForItsLife(token, verifiers, failures))
        await delay(100)
      }
    }
  }
  const refreshOn = async (pair: readonly TestService[]): Promise<void> => {
    let token = (await register(nodes[0].app)).refresh_token
    for (let turn = 0; Date.now() < until; turn += 1) {
      token = tokenOf(await refresh(pair[turn % 2] ?? nodes[0], token))
      await delay(200)
    }
  }
  await Promise.all([...nodes.map(issueOn), refreshOn(nodes)])
  await Promise.all(verifications)

  t.strictSame(failures, [])
  t.ok(issued.length > 300, `${issued.length} tokens were issued`)
  const db = await connect(t, nodes[0])
  const keys = await db.selectFrom('signing_keys').selectAll().execute()
  for (const algorithm of signingAlgorithms) {
    const signed = keys.filter((key) => key.algorithm === algorithm && key.sign_until !== null)
    t.ok(signed.length >= 3, `${algorithm} was rotated ${signed.length} times`)
  }
  const endOf = new Map(keys.map((key) => [key.key_id, key.sign_until]))
  const late = issued.filter(({ keyId, startedAt }) => {
    const end = endOf.get(keyId)
    return end === undefined || (end !== null && startedAt >= Number(end) + clockErrorMs)
  })
  t.strictSame(late, [], 'a retired key signs no more, on either node')
  const macKeys = await db.selectFrom('mac_keys').selectAll().execute()
  t.ok(macKeys.length >= 5, `${macKeys.length} MAC keys made the refresh tokens`)
})
