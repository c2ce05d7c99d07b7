import { decodeJwt } from 'jose'
import t, { type Test } from 'tap'
import { askWithKey, presentWithKey } from '../support/bound-tokens.ts'
import { createProofKey, type ProofKey } from '../support/dpop.ts'
import { createRelyingParty, type RelyingParty, seedCode, seedSession } from '../support/openid.ts'
import { connect, register, startService } from '../support/service.ts'

// Refresh tokens and keys (RFC 9449 §5): a public client's are bound to the key, a confidential
// client's to its credential, and its access tokens to the key of each request.
const scope = ['openid', 'account', 'offline_access']
const isPublic = { authenticationMethod: 'none', scope }
const isConfidential = { scope }

const begin = async (t: Test) => {
  const service = await startService(t)
  const db = await connect(t, service)
  const person = await register(service.app)
  const sessionId = await seedSession(db, person.user.id)

  const ask = (party: RelyingParty, form: Record<string, string>, key: ProofKey | undefined) =>
    party.client.authenticationMethod === 'none'
      ? askWithKey(service, { ...form, client_id: party.id }, key)
      : askWithKey(service, form, key, party.headers)
  const signIn = async (party: RelyingParty, key: ProofKey | undefined) => {
    const code = await seedCode(db, party, { userId: person.user.id, sessionId, scope })
    const grant = { grant_type: 'authorization_code', redirect_uri: 'https://app.example/cb', code }
    const answer = await ask(party, grant, key)
    if (answer.statusCode !== 200) throw new Error(answer.body)
    return answer.json<{ access_token: string; refresh_token: string; token_type: string }>()
  }
  const refresh = (party: RelyingParty, token: string, key: ProofKey | undefined) =>
    ask(party, { grant_type: 'refresh_token', refresh_token: token }, key)
  return { service, signIn, refresh }
}

const { service, signIn, refresh } = await begin(t)
const { app, deps } = service

const keyOf = (accessToken: string) => decodeJwt(accessToken).cnf

const unknown = {
  error: 'invalid_grant',
  error_description: 'The refresh token is not valid',
  code: 'unknown',
}

t.test('a public client: no other key renews, and the owner does not notice', async (t) => {
  const party = await createRelyingParty(service, {}, isPublic)
  const [own, foreign] = [createProofKey(), createProofKey()]
  const first = await signIn(party, own)
  t.equal(first.token_type, 'DPoP')
  t.strictSame(keyOf(first.access_token), { jkt: own.jkt })

  for (const key of [foreign, undefined]) {
    const refused = await refresh(party, first.refresh_token, key)
    t.equal(refused.statusCode, 400)
    t.strictSame(refused.json(), unknown, 'a thief does not learn that it is genuine')
  }

  const second = (await refresh(party, first.refresh_token, own)).json()
  t.equal(second.token_type, 'DPoP')
  t.strictSame(keyOf(second.access_token), { jkt: own.jkt })
  t.not(second.refresh_token, first.refresh_token)
  t.equal((await presentWithKey(service, own, second.access_token)).statusCode, 200)
})

t.test('a lost answer: a retry with a fresh proof gets the same, however late', async (t) => {
  const { service, signIn, refresh } = await begin(t)
  const party = await createRelyingParty(service, {}, isPublic)
  const key = createProofKey()
  const first = await signIn(party, key)
  const lost = (await refresh(party, first.refresh_token, key)).json()
  service.moveTime(3600)

  const retried = (await refresh(party, first.refresh_token, key)).json()

  t.equal(retried.refresh_token, lost.refresh_token)
  t.strictSame(keyOf(retried.access_token), { jkt: key.jkt })
  const next = (await refresh(party, retried.refresh_token, key)).json()
  t.not(next.refresh_token, lost.refresh_token)
  const reused = await refresh(party, first.refresh_token, key)
  t.match(reused.json(), { error: 'invalid_grant', code: 'reused' })
})

t.test('a public client without a key may begin to prove one; its family stays free', async (t) => {
  const party = await createRelyingParty(service, {}, isPublic)
  const key = createProofKey()
  const first = await signIn(party, undefined)
  t.equal(first.token_type, 'Bearer')
  const second = (await refresh(party, first.refresh_token, key)).json()
  t.equal(second.token_type, 'DPoP')
  const third = (await refresh(party, second.refresh_token, undefined)).json()
  t.equal(third.token_type, 'Bearer')
})

t.test(
  'a confidential client may change its key: each access token has that of its request',
  async (t) => {
    const party = await createRelyingParty(service, { dpopBoundAccessTokens: true }, isConfidential)
    const [old, young] = [createProofKey(), createProofKey('Ed25519')]
    const first = await signIn(party, old)
    t.strictSame(keyOf(first.access_token), { jkt: old.jkt })
    const second = (await refresh(party, first.refresh_token, young)).json()
    t.strictSame(keyOf(second.access_token), { jkt: young.jkt })
    t.equal(second.token_type, 'DPoP')

    const bare = await refresh(party, second.refresh_token, undefined)
    t.equal(bare.json().error, 'invalid_dpop_proof', 'but it must have one')
  },
)

t.test('a confidential client with bound tokens may keep its refresh token', async (t) => {
  const party = await createRelyingParty(
    service,
    { dpopBoundAccessTokens: true },
    { ...isConfidential, refreshTokenRotation: 'static' },
  )
  const key = createProofKey()
  const first = await signIn(party, key)
  for (let use = 0; use < 3; use += 1) {
    const answer = (await refresh(party, first.refresh_token, key)).json()
    t.equal(answer.refresh_token, first.refresh_token)
    t.strictSame(keyOf(answer.access_token), { jkt: key.jkt })
  }
})

t.test(
  'a confidential client with bound tokens that rotates has a minute for a retry',
  async (t) => {
    const { service, signIn, refresh } = await begin(t)
    const party = await createRelyingParty(service, { dpopBoundAccessTokens: true }, isConfidential)
    const key = createProofKey()
    const first = await signIn(party, key)
    const lost = (await refresh(party, first.refresh_token, key)).json()
    service.moveTime(55)
    const retried = (await refresh(party, first.refresh_token, key)).json()
    t.equal(retried.refresh_token, lost.refresh_token)
    service.moveTime(10)
    const late = await refresh(party, first.refresh_token, key)
    t.match(late.json(), { error: 'invalid_grant', code: 'reused' })
  },
)

t.test('bound tokens are revoked and introspected without a proof', async (t) => {
  const party = await createRelyingParty(service, { dpopBoundAccessTokens: true }, isConfidential)
  const key = createProofKey()
  const { access_token: access, refresh_token: token } = await signIn(party, key)
  const post = (url: string, token: string) =>
    app.inject({
      method: 'POST',
      url,
      headers: { ...party.headers, 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ token }).toString(),
    })
  t.match((await post('/introspect', access)).json(), {
    active: true,
    token_type: 'DPoP',
    cnf: { jkt: key.jkt },
  })
  const ofRefreshToken = (await post('/introspect', token)).json()
  t.equal(ofRefreshToken.active, true)
  t.notOk('cnf' in ofRefreshToken, 'a confidential client’s is not bound')
  t.equal((await post('/revoke', token)).statusCode, 200)
  t.strictSame((await post('/introspect', access)).json(), { active: false })
  t.equal((await presentWithKey(service, key, access)).statusCode, 401)
  t.equal((await deps.verifier.verify(access)).ok, false)
})
