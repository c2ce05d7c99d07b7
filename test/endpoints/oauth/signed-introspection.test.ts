import { createLocalJWKSet, jwtVerify } from 'jose'
import t from 'tap'
import {
  claimsIn,
  createRelyingParty,
  obtainTokens,
  type RelyingParty,
  seedSession,
} from '../../support/openid.ts'
import { connect, register, startService } from '../../support/service.ts'
import { postForm } from './requests.ts'

const service = await startService(t)
const { app, config } = service
const db = await connect(t, service)
const { user } = await register(app)
const sessionId = await seedSession(db, user.id)
const signed = 'application/token-introspection+jwt'

const ask = (party: RelyingParty, token: string, accept?: string) =>
  postForm(app, '/introspect', { token }, { ...party.headers, ...(accept && { accept }) })
const tokensOf = (party: RelyingParty) =>
  obtainTokens(service, db, party, { userId: user.id, sessionId })
const verifyAnswer = async (jwt: string, audience: string) => {
  const jwks = createLocalJWKSet((await app.inject('/.well-known/jwks.json')).json())
  return jwtVerify(jwt, jwks, { issuer: config.issuer, audience })
}

t.test('whoever asks for it gets the answer as a JWT (RFC 9701 §5)', async (t) => {
  const party = await createRelyingParty(service)
  const tokens = await tokensOf(party)
  for (const token of [tokens.access_token, tokens.refresh_token, tokens.id_token, 'x']) {
    const plain = await ask(party, token, 'application/json')
    const answer = await ask(party, token, signed)
    t.equal(answer.statusCode, 200)
    t.match(answer.headers, { 'content-type': signed, 'cache-control': 'no-store' })
    const { payload, protectedHeader } = await verifyAnswer(answer.body, party.id)
    t.match(protectedHeader, { typ: 'token-introspection+jwt', alg: 'RS256' })
    t.strictSame(Object.keys(payload).sort(), ['aud', 'iat', 'iss', 'token_introspection'])
    t.strictSame(payload.token_introspection, plain.json(), 'which says the same, and no more')
  }
})

t.test('a client that is registered for an algorithm gets it, unless it wants JSON', async (t) => {
  const party = await createRelyingParty(service, { introspectionSignedResponseAlg: 'PS256' })
  const { access_token } = await tokensOf(party)
  for (const accept of [undefined, '*/*', signed]) {
    const answer = await ask(party, access_token, accept)
    t.match(answer.headers['content-type'], signed)
    t.equal((await verifyAnswer(answer.body, party.id)).protectedHeader.alg, 'PS256')
  }
  t.equal((await ask(party, access_token, 'application/json')).json().active, true)
})

t.test('an ID token is none to introspect, and neither is a signed answer', async (t) => {
  const party = await createRelyingParty(service)
  const { id_token, access_token } = await tokensOf(party)
  const answer = await ask(party, access_token, signed)
  for (const token of [id_token, answer.body]) {
    t.strictSame((await ask(party, token)).json(), { active: false })
    const revoked = await postForm(app, '/revoke', { token }, party.headers)
    t.equal(revoked.statusCode, 200, 'nor to revoke: nothing happens')
  }
  t.equal((await ask(party, access_token)).json().active, true)
})

t.test('a pairwise client hears of people by the names that it knows', async (t) => {
  const party = await createRelyingParty(service, { subjectType: 'pairwise' })
  const tokens = await tokensOf(party)
  const { sub } = claimsIn(tokens.id_token)
  t.not(sub, user.id)
  for (const token of [tokens.access_token, tokens.refresh_token]) {
    t.equal((await ask(party, token)).json().sub, sub)
  }
  const revoked = await postForm(app, '/revoke', { token: tokens.refresh_token }, party.headers)
  t.equal(revoked.statusCode, 200)
  for (const token of [tokens.access_token, tokens.refresh_token]) {
    t.strictSame((await ask(party, token)).json(), { active: false }, 'and can revoke them')
  }
})
