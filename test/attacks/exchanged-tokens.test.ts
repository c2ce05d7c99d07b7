import { decodeJwt } from 'jose'
import t from 'tap'
import { createMachine, outcomeOf, postForm } from '../endpoints/oauth/requests.ts'
import { register, startService } from '../support/service.ts'

const grant_type = 'urn:ietf:params:oauth:grant-type:token-exchange'
const subject_token_type = 'urn:ietf:params:oauth:token-type:access_token'
const service = await startService(t)
const { app, deps } = service
const [shop, bank] = ['https://shop.example', 'https://bank.example']

/** A service that may exchange what it is given, and is compromised. */
const attacker = await createMachine(deps, {
  grantTypes: [grant_type],
  scope: ['read', 'account', 'admin'],
  audience: [bank, service.config.issuer],
  resourceServer: [shop],
})
const app1 = await createMachine(deps, {
  grantTypes: ['client_credentials'],
  scope: ['read', 'transfer'],
  audience: [shop, bank],
})

const tokenFor = async (resource: string): Promise<string> =>
  (
    await postForm(app, '/token', { grant_type: 'client_credentials', resource }, app1.headers)
  ).json().access_token

const exchange = async (form: Record<string, string | string[]>) =>
  outcomeOf(
    await postForm(app, '/token', { grant_type, subject_token_type, ...form }, attacker.headers),
  )
const refused = { status: 400, body: { error: 'invalid_grant', code: 'invalid_subject_token' } }

t.test('a token that was meant for another service is not exchanged', async (t) => {
  t.match(await exchange({ subject_token: await tokenFor(bank) }), refused)
})

t.test('nobody is put into act by who asks', async (t) => {
  const subject_token = await tokenFor(shop)
  const act = JSON.stringify({ sub: 'somebody else' })
  const { body } = await exchange({ subject_token, act, actor: 'x', resource: bank })
  t.strictSame(decodeJwt(body.access_token).act, { sub: attacker.id })
})

t.test('an actor token that is not the attacker’s proves nothing', async (t) => {
  const subject_token = await tokenFor(shop)
  const actor_token = await tokenFor(bank)
  const answer = await exchange({
    ...{ subject_token, actor_token, actor_token_type: subject_token_type },
  })
  t.match(answer, { status: 400, body: { error: 'invalid_grant', code: 'invalid_actor_token' } })
})

t.test('scope of the client does not become scope of the subject', async (t) => {
  const subject_token = await tokenFor(shop)
  for (const scope of ['admin', 'account', 'transfer']) {
    t.match(await exchange({ subject_token, scope }), {
      status: 400,
      body: { error: 'invalid_scope' },
    })
  }
})

t.test('the token of a person does not become a token for our own API', async (t) => {
  const person = await register(app)
  t.match(await exchange({ subject_token: person.access_token }), refused)
})

t.test('tokens of other kinds are no access tokens, whatever they are called', async (t) => {
  const person = await register(app)
  const now = Math.floor(deps.clock().getTime() / 1000)
  const claims = {
    ...{ iss: service.config.issuer, sub: person.user.id, aud: shop, client_id: app1.id },
    ...{ jti: crypto.randomUUID(), iat: now, exp: now + 60, scope: 'read' },
  }
  for (const type of ['JWT', 'logout+jwt', 'secevent+jwt', 'token-introspection+jwt']) {
    const token = await deps.keyRing.sign('RS256', type, claims)
    for (const subject_token_type of [
      'urn:ietf:params:oauth:token-type:access_token',
      'urn:ietf:params:oauth:token-type:jwt',
    ]) {
      t.match(await exchange({ subject_token: token, subject_token_type }), refused, type)
    }
  }
  t.match(await exchange({ subject_token: person.refresh_token }), refused)
})

t.test('what is signed out is exchanged no more, and what it gave ends with it', async (t) => {
  const person = await register(app)
  const { sid, fam } = decodeJwt(person.access_token)
  const now = Math.floor(deps.clock().getTime() / 1000)
  const subject_token = await deps.keyRing.sign('RS256', 'at+jwt', {
    ...{ iss: service.config.issuer, sub: person.user.id, aud: shop, client_id: app1.id },
    ...{ jti: crypto.randomUUID(), iat: now, exp: now + 60, scope: 'read', sid, fam },
  })
  const { access_token } = (await exchange({ subject_token, resource: bank })).body
  t.equal((await deps.verifier.verify(access_token)).ok, true)
  const headers = { authorization: `Bearer ${person.access_token}` }
  await app.inject({ method: 'POST', url: '/auth/logout', headers })
  t.match(await deps.verifier.verify(access_token), { ok: false, reason: 'revoked' })
  t.match(await exchange({ subject_token }), refused)
})
