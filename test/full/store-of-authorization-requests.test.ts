import { randomUUID } from 'node:crypto'
import type { AuthorizationRequest } from '../../src/authorize/authorization-request.ts'
import type { NewCode } from '../../src/authorize/request-store.ts'
import { sha256 } from '../../src/secrets/digest.ts'
import { createAuthorizationCodeStore } from '../../src/stores/postgres/authorization-codes.ts'
import { createAuthorizationRequestStore } from '../../src/stores/postgres/authorization-requests.ts'
import { createPruners } from '../../src/stores/postgres/pruning.ts'
import { judgeCode } from '../../src/tokens/authorization-code.ts'
import { seedClient, seedUser } from '../support/seeds.ts'
import type { SqlBackend } from '../support/sql-backends.ts'
import { storeContract } from '../support/store-contract.ts'

const { rule, run } = storeContract('requests and codes', async ({ db }) => {
  await db.deleteFrom('authorization_requests').execute()
  await db.deleteFrom('authorization_codes').execute()
})

const request: AuthorizationRequest = {
  clientId: 'app',
  responseMode: 'query',
  redirectUri: 'https://app.example/callback',
  redirectUriStated: true,
  state: 'a "state" — ü',
  scope: ['read'],
  audience: ['https://api.example'],
  codeChallenge: 'challenge',
  nonce: 'nonce',
  prompt: ['login'],
  maxAge: 60,
  acrValues: [],
  uiLocales: ['de'],
  claims: { id_token: { acr: { essential: true } } },
  authorizationDetails: [{ type: 'payment', amount: 10 }],
  dpopJkt: 'thumbprint',
}
const browserDigest = sha256('a browser')
const otherDigest = sha256('another browser')

const openSession = async (backend: SqlBackend) => {
  const { db, now } = backend
  await seedClient(backend, 'app')
  const userId = await seedUser(backend)
  const sessionId = randomUUID()
  await db
    .insertInto('sessions')
    .values({
      ...{ id: sessionId, user_id: userId, amr: ['pwd'], auth_time: now(), acr: 'level' },
      expires_at: new Date(Date.now() + 86_400_000),
    })
    .execute()
  return { userId, sessionId }
}

const codeOf = (login: { userId: string; sessionId: string }): NewCode => ({
  ...{ digest: sha256(randomUUID()), request, ttlSeconds: 60 },
  ...login,
})

const presentedOf = ({ digest }: NewCode) => ({
  ...{ digest, clientId: 'app', redirectUri: request.redirectUri },
  ...{ codeChallenge: 'challenge', dpopJkt: 'thumbprint' },
})

const bare = () => ({ familyId: randomUUID(), family: undefined })
const act = { actor: 'app', origin: {} }

rule('a request comes back as it was, to its browser alone', async (t, backend) => {
  await seedClient(backend, 'app')
  const store = createAuthorizationRequestStore(backend)
  const id = await store.keep(request, browserDigest, 60)
  t.match(await store.find({ id, browserDigest }), { id, sessionId: null })
  t.strictSame((await store.find({ id, browserDigest }))?.request, request)
  t.equal(await store.find({ id, browserDigest: otherDigest }), undefined)
  t.equal(await store.find({ id: randomUUID(), browserDigest }), undefined)
})

rule('a pushed request belongs to nobody until a browser claims it', async (t, backend) => {
  await seedClient(backend, 'app')
  const store = createAuthorizationRequestStore(backend)
  const reference = sha256('reference')
  await store.push(request, reference, 90)
  t.equal(await store.findPushed('other', reference, browserDigest), undefined)
  const found = await store.findPushed('app', reference, otherDigest)
  const id = found?.id ?? ''
  t.equal(await store.claim({ id, browserDigest }, 3600), true)
  t.equal(await store.claim({ id, browserDigest: otherDigest }, 3600), false)
  t.equal(await store.findPushed('app', reference, otherDigest), undefined)
  backend.moveTime(3599)
  t.equal((await store.findPushed('app', reference, browserDigest))?.id, id)
  t.equal(await store.claim({ id, browserDigest }, 3600), true, 'which prolongs nothing')
  backend.moveTime(2)
  t.equal(await store.findPushed('app', reference, browserDigest), undefined)
})

rule('a request is closed or completed once', async (t, backend) => {
  const login = await openSession(backend)
  const store = createAuthorizationRequestStore(backend)
  const closed = { id: await store.keep(request, browserDigest, 60), browserDigest }
  t.equal(await store.close({ ...closed, browserDigest: otherDigest }, []), false)
  t.equal(await store.close(closed, []), true)
  t.equal(await store.close(closed, []), false)
  t.equal(await store.complete(closed, codeOf(login), []), 'used')

  const completed = { id: await store.keep(request, browserDigest, 60), browserDigest }
  t.equal(await store.complete(completed, codeOf(login), []), 'completed')
  t.equal(await store.complete(completed, codeOf(login), []), 'used')
  t.equal(await store.find(completed), undefined)
})

rule(
  'without a live session nothing is completed, and the request still waits',
  async (t, backend) => {
    const login = await openSession(backend)
    const store = createAuthorizationRequestStore(backend)
    const pending = { id: await store.keep(request, browserDigest, 60), browserDigest }
    const gone = { ...login, sessionId: randomUUID() }
    t.equal(await store.complete(pending, codeOf(gone), []), 'login_ended')
    t.equal(await store.complete(pending, codeOf(login), []), 'completed')
  },
)

rule('a code comes back with all that it stands for', async (t, backend) => {
  const login = await openSession(backend)
  const code = codeOf(login)
  await createAuthorizationRequestStore(backend).complete(undefined, code, [])
  const redeemed = await createAuthorizationCodeStore(backend, () => 60).redeem(
    presentedOf(code),
    bare,
    act,
  )
  t.match(redeemed, {
    grant: {
      ...{ ...login, credentialEpoch: 1, amr: ['pwd'], acr: 'level', scope: ['read'] },
      ...{ audience: ['https://api.example'], nonce: 'nonce' },
      authorizationDetails: [{ type: 'payment', amount: 10 }],
      claimsRequest: { id_token: { acr: { essential: true } } },
    },
    standing: { roles: ['user'], version: 1 },
  })
})

rule('what a code refuses is what the judgement says', async (t, backend) => {
  const code = codeOf(await openSession(backend))
  await createAuthorizationRequestStore(backend).complete(undefined, code, [])
  const codes = createAuthorizationCodeStore(backend, () => 60)
  const good = presentedOf(code)
  const spoiled = {
    unknown: { ...good, digest: sha256('another') },
    wrong_client: { ...good, clientId: 'other' },
    wrong_redirect_uri: { ...good, redirectUri: 'https://app.example/other' },
    wrong_verifier: { ...good, codeChallenge: undefined },
    wrong_key: { ...good, dpopJkt: undefined },
  }
  for (const [verdict, presented] of Object.entries(spoiled)) {
    t.equal(await codes.redeem(presented, bare, act), undefined, verdict)
    t.equal(judgeCode(await codes.inspect(presented.digest), presented), verdict)
  }
  t.equal(judgeCode(await codes.inspect(good.digest), good), 'again')
  t.not(await codes.redeem(good, bare, act), undefined)
  t.equal(await codes.redeem(good, bare, act), undefined)
  t.equal(judgeCode(await codes.inspect(good.digest), good), 'reused')
})

rule('an exception while a code is redeemed leaves it as it was', async (t, backend) => {
  const code = codeOf(await openSession(backend))
  await createAuthorizationRequestStore(backend).complete(undefined, code, [])
  const codes = createAuthorizationCodeStore(backend, () => 60)
  const refuse = () => {
    throw new Error('not this audience')
  }
  await t.rejects(codes.redeem(presentedOf(code), refuse, act), /not this audience/)
  t.not(await codes.redeem(presentedOf(code), bare, act), undefined)
})

rule('expired requests are pruned, codes a day after their end', async (t, backend) => {
  const login = await openSession(backend)
  const store = createAuthorizationRequestStore(backend)
  await store.keep(request, browserDigest, 60)
  await store.complete(undefined, codeOf(login), [])
  const prune = async (name: string) =>
    createPruners(backend)
      .find((chore) => chore.name === name)
      ?.run()
  t.equal(await prune('authorization_requests'), 0)
  backend.moveTime(61)
  t.equal(await prune('authorization_requests'), 1)
  t.equal(await prune('authorization_codes'), 0)
  backend.moveTime(86_400)
  t.equal(await prune('authorization_codes'), 1)
})

run()
