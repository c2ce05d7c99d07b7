import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import t from 'tap'
import { signingAlgorithms } from '../../../src/oauth/algorithm.ts'
import {
  claimsIn,
  createRelyingParty,
  obtainTokens,
  refreshTokens,
  seedSession,
} from '../../support/openid.ts'
import { connect, register, startService } from '../../support/service.ts'

const service = await startService(t)
const { app, config, moveTime } = service
const db = await connect(t, service)
const { user } = await register(app)
const sessionId = await seedSession(db, user.id)
const granted = { userId: user.id, sessionId }

const verifyIdToken = async (idToken: string, audience: string) => {
  const jwks = createLocalJWKSet((await app.inject('/.well-known/jwks.json')).json())
  return jwtVerify(idToken, jwks, { issuer: config.issuer, audience, typ: 'JWT' })
}

for (const algorithm of signingAlgorithms) {
  t.test(`an ID token is signed by ${algorithm} where the client says so`, async (t) => {
    const party = await createRelyingParty(service, { idTokenSignedResponseAlg: algorithm })
    const { id_token } = await obtainTokens(service, db, party, granted)
    await verifyIdToken(id_token, party.id)
    t.strictSame(Object.keys(decodeProtectedHeader(id_token)), ['alg', 'typ', 'kid'])
    t.match(decodeProtectedHeader(id_token), { alg: algorithm, typ: 'JWT' })
  })
}

t.test('an ID token says who signed in, when, how, and for which request', async (t) => {
  const party = await createRelyingParty(service)
  const tokens = await obtainTokens(service, db, party, { ...granted, nonce: 'n-1' })
  const { payload, protectedHeader } = await verifyIdToken(tokens.id_token, party.id)
  const row = await db
    .selectFrom('sessions')
    .select('auth_time')
    .where('id', '=', sessionId)
    .executeTakeFirstOrThrow()
  const { iat, exp, at_hash, ...rest } = payload
  t.equal(protectedHeader.alg, 'RS256', 'the default (OpenID Connect Core §15.1)')
  t.equal(Number(exp) - Number(iat), config.accessTokenTtlSeconds)
  t.match(at_hash, /^[A-Za-z0-9_-]{22}$/)
  t.strictSame(rest, {
    iss: config.issuer,
    sub: user.id,
    aud: party.id,
    auth_time: Math.floor(row.auth_time.getTime() / 1000),
    acr: 'urn:tessera:pwd',
    amr: ['pwd'],
    sid: sessionId,
    nonce: 'n-1',
  })
})

t.test('no scope openid, no ID token', async (t) => {
  const party = await createRelyingParty(service)
  const tokens = await obtainTokens(service, db, party, { ...granted, scope: ['profile'] })
  t.notOk('id_token' in tokens)
})

t.test('a renewed ID token is about the same sign-in, without its nonce (§12.2)', async (t) => {
  const party = await createRelyingParty(service)
  const first = await obtainTokens(service, db, party, { ...granted, nonce: 'n-1' })
  moveTime(60)
  const second = await refreshTokens(service, party, first.refresh_token)
  const [before, after] = [claimsIn(first.id_token), claimsIn(second.id_token)]
  for (const name of ['iss', 'sub', 'aud', 'auth_time', 'sid', 'amr']) {
    t.strictSame(after[name], before[name], name)
  }
  t.notOk('nonce' in after)
  t.ok(Number(after.iat) >= Number(before.iat) + 60)
  t.not(after.at_hash, before.at_hash)
})

t.test('what outlives the session names it all the same, for its end to be told', async (t) => {
  const party = await createRelyingParty(service)
  const scope = ['openid', 'offline_access']
  const tokens = await obtainTokens(service, db, party, { ...granted, scope })
  t.equal(claimsIn(tokens.id_token).sid, sessionId)
  t.notOk('sid' in claimsIn(tokens.access_token))
})

t.test('claims are told that were asked for one by one (§5.5)', async (t) => {
  await db
    .updateTable('users')
    .set({ name: 'Ada Lovelace', given_name: 'Ada', username: 'ada', username_key: 'ada' })
    .where('id', '=', user.id)
    .execute()
  const ask = async (id_token: Parameters<typeof seed>[0], scope?: readonly string[]) => {
    const party = await createRelyingParty(service, {}, scope ? { scope } : {})
    const tokens = await obtainTokens(service, db, party, { ...granted, claims: { id_token } })
    const renewed = await refreshTokens(service, party, tokens.refresh_token)
    const told = [tokens, renewed].map(({ id_token }) => {
      const { name, email, preferred_username, nickname } = claimsIn(id_token)
      return { name, email, preferred_username, nickname }
    })
    t.strictSame(told[0], told[1], 'the same when it is renewed')
    return JSON.parse(JSON.stringify(told[0]))
  }
  const seed = (claims: Record<string, { essential?: boolean; value?: unknown } | null>) => claims

  t.strictSame(await ask({ name: null, email: { essential: true } }), {
    name: 'Ada Lovelace',
    email: user.email,
  })
  t.strictSame(await ask({ preferred_username: { value: 'ada' } }), { preferred_username: 'ada' })
  t.strictSame(await ask({ preferred_username: { value: 'eve' } }), {}, 'another value')
  t.strictSame(await ask({ nickname: { essential: true } }), {}, 'what we do not know')
  t.strictSame(
    await ask({ name: null, email: null }, ['openid', 'email']),
    { email: user.email },
    'what the client is not registered for',
  )
})

t.test(
  'pairwise clients of one sector share a name for a person, others do not (§8)',
  async (t) => {
    const pairwise = { subjectType: 'pairwise' } as const
    const subjects = async (uri: string) => {
      const party = await createRelyingParty(service, pairwise, { redirectUris: [uri] })
      const tokens = await obtainTokens(service, db, party, granted)
      const renewed = await refreshTokens(service, party, tokens.refresh_token)
      const all = [tokens, renewed].flatMap(({ id_token, access_token }) =>
        [id_token, access_token].map((jwt) => String(claimsIn(jwt).sub)),
      )
      t.equal(new Set(all).size, 1, 'in all its tokens')
      t.notOk(JSON.stringify(claimsIn(tokens.access_token)).includes(user.id))
      return all[0]
    }
    const one = await subjects('https://a.example/cb')
    t.equal(await subjects('https://a.example/other'), one)
    t.not(await subjects('https://b.example/cb'), one)
  },
)
