import { createHmac } from 'node:crypto'
import t from 'tap'
import { startNodes } from '../../support/nodes.ts'
import { startService } from '../../support/service.ts'
import { assertionClaims, assertionType, createSigner } from '../../support/signer.ts'
import {
  basic,
  byOperator,
  createMachine,
  oauthError,
  outcomeOf,
  postForm,
  unauthenticated,
} from './requests.ts'

const issuer = 'http://localhost:4000'
const { app, deps } = await startService(t)
const signer = await createSigner()
const rsa = await createSigner('PS256')
const stranger = await createSigner()

const register = async (
  settings: object = { jwks: { keys: [signer.jwk, rsa.jwk] } },
  { clientAdministration } = deps,
): Promise<string> => {
  const registration = { name: 'Keys', authenticationMethod: 'private_key_jwt', settings }
  const { client } = await clientAdministration.create(registration, byOperator)
  return client.id
}
const clientId = await register()
const otherClientId = await register({ jwks: { keys: [stranger.jwk] } })
const claims = (special: object = {}) => ({ ...assertionClaims(clientId, issuer), ...special })

const present = (assertion: string, form: object = {}, headers = {}, node = app) =>
  postForm(
    node,
    '/token',
    {
      ...{ grant_type: 'client_credentials', client_assertion_type: assertionType },
      ...{ client_assertion: assertion },
      ...form,
    },
    headers,
  )

t.test('a client proves itself by a signature, with and without client_id', async (t) => {
  for (const form of [{}, { client_id: clientId }]) {
    const answer = await present(await signer.sign(claims()), form)
    t.equal(answer.statusCode, 200, answer.body)
  }
  for (const typ of ['JWT', 'client-authentication+jwt', 'application/CLIENT-authentication+jwt']) {
    t.equal((await present(await signer.sign(claims(), { typ }))).statusCode, 200, typ)
  }
  const { kid: _, ...header } = { kid: '' }
  t.equal((await present(await rsa.sign(claims(), header))).statusCode, 200)
})

t.test('an assertion is good once, and its id is good for another client', async (t) => {
  const jti = crypto.randomUUID()
  const assertion = await signer.sign(claims({ jti }))
  t.equal((await present(assertion)).statusCode, 200)
  t.strictSame(outcomeOf(await present(assertion)), unauthenticated())
  t.strictSame(outcomeOf(await present(await signer.sign(claims({ jti })))), unauthenticated())
  const others = { ...assertionClaims(otherClientId, issuer), jti }
  t.equal((await present(await stranger.sign(others))).statusCode, 200)
})

t.test('a request that is refused for another reason has not used an assertion up', async (t) => {
  const jti = crypto.randomUUID()
  const forged = await stranger.sign(claims({ jti }), { kid: signer.keyId })
  t.strictSame(outcomeOf(await present(forged)), unauthenticated())
  t.equal((await present(await signer.sign(claims({ jti })))).statusCode, 200)
})

const encode = (value: object | string) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const publicText = JSON.stringify(rsa.jwk)

/** Each one is right in everything but one thing. */
const forged: Record<string, () => Promise<string> | string> = {
  'no signature': () => `${encode({ alg: 'none' })}.${encode(claims())}.`,
  'no signature, in other letters': () => `${encode({ alg: 'nOnE' })}.${encode(claims())}.AA`,
  'a MAC with the public key': () => {
    const input = `${encode({ alg: 'HS256', kid: rsa.keyId })}.${encode(claims())}`
    return `${input}.${createHmac('sha256', publicText).update(input).digest('base64url')}`
  },
  'a key of somebody else': () => stranger.sign(claims()),
  'a key of somebody else under the kid of the client': () =>
    stranger.sign(claims(), { kid: signer.keyId }),
  'a key of another client': () =>
    stranger.sign({ ...claims(), iss: clientId, sub: clientId }, { kid: stranger.keyId }),
  'a key in its own header': () => stranger.sign(claims(), { jwk: stranger.jwk }),
  'a key at an address in its header': () =>
    stranger.sign(claims(), { jku: 'http://127.0.0.1/jwks', x5u: 'http://127.0.0.1/' }),
  'an unknown kid': () => signer.sign(claims(), { kid: '../../etc/passwd' }),
  'another kid of the client': () => signer.sign(claims(), { kid: rsa.keyId }),
  'a type of another purpose': () => signer.sign(claims(), { typ: 'at+jwt' }),
  'another issuer': () => signer.sign(claims({ iss: otherClientId })),
  'no audience': () => signer.sign(claims({ aud: undefined })),
  'another audience': () => signer.sign(claims({ aud: 'https://other.example' })),
  'a list of audiences': () => signer.sign(claims({ aud: [issuer] })),
  'the token endpoint as audience': () => signer.sign(claims({ aud: `${issuer}/token` })),
  'no id': () => signer.sign(claims({ jti: undefined })),
  'no expiry': () => signer.sign(claims({ exp: undefined })),
  'one that is over': () => signer.sign(claims({ exp: Math.floor(Date.now() / 1000) - 1 })),
  'one for too long': () => signer.sign(claims({ exp: Math.floor(Date.now() / 1000) + 3600 })),
  'one from the future': () => signer.sign(claims({ iat: Math.floor(Date.now() / 1000) + 60 })),
  'claims that are a list': () => signer.sign([claims()]),
  'changed claims': async () => {
    const [header, , signature] = (await signer.sign(claims())).split('.')
    return `${header}.${encode(claims())}.${signature}`
  },
  padding: async () => `${await signer.sign(claims())}==`,
  'a line break': async () => `${await signer.sign(claims())}\n`,
  'another spelling of the signature': async () => {
    const assertion = await rsa.sign(claims())
    // The last character holds bits that no byte has.
    const next = { A: 'B', Q: 'R', g: 'h', w: 'x' }[assertion.slice(-1)] ?? '='
    return assertion.slice(0, -1) + next
  },
  'no JWT': () => 'x',
  'five parts': () => 'a.b.c.d.e',
  'a large one': () => 'x'.repeat(20_000),
  'a lone surrogate': async () => {
    const body = encode(`{"iss":"\\ud800","sub":"${clientId}"}`)
    return `${encode({ alg: 'ES256' })}.${body}.AAAA`
  },
}

for (const [what, make] of Object.entries(forged)) {
  t.test(`an assertion is refused with 401, like every wrong credential: ${what}`, async (t) => {
    t.strictSame(outcomeOf(await present(await make())), unauthenticated())
  })
}

t.test('an assertion names one client, and it is the one of the request', async (t) => {
  const named = await present(await signer.sign(claims()), { client_id: otherClientId })
  t.strictSame(outcomeOf(named), unauthenticated())
  const other = await present(await signer.sign(claims({ sub: otherClientId })))
  t.strictSame(outcomeOf(other), unauthenticated())
  const nobody = await present(await signer.sign(assertionClaims('nobody', issuer)))
  t.strictSame(outcomeOf(nobody), unauthenticated())
})

t.test('a request that uses an assertion wrongly is invalid', async (t) => {
  const { secret, id } = await createMachine(deps)
  const assertion = await signer.sign(claims())
  const needsType = `client_assertion needs client_assertion_type ${assertionType}`
  const onlyOne = 'Only one way of client authentication is allowed'
  const refusals: [form: object, headers: object, description: string][] = [
    [{ client_assertion_type: '' }, {}, needsType],
    [{ client_assertion_type: 'urn:other' }, {}, needsType],
    [{ client_assertion: '' }, {}, needsType],
    [{ client_secret: secret, client_id: clientId }, {}, onlyOne],
  ]
  for (const [form, headers, description] of refusals) {
    const answer = outcomeOf(await present(assertion, form, headers))
    t.strictSame(answer, oauthError(400, 'invalid_request', description))
  }
  const both = outcomeOf(await present(assertion, {}, basic(id, secret)))
  t.strictSame(both, oauthError(400, 'invalid_request', onlyOne))
})

t.test('a client of one method does not get in by another', async (t) => {
  const { id } = await createMachine(deps)
  const named = await present(await signer.sign(assertionClaims(id, issuer)))
  t.strictSame(outcomeOf(named), unauthenticated())
  const form = { grant_type: 'client_credentials', client_id: clientId }
  t.strictSame(outcomeOf(await postForm(app, '/token', form)), unauthenticated())
  const secret = await postForm(app, '/token', { ...form, client_secret: 'tcs_x' })
  t.strictSame(outcomeOf(secret), unauthenticated())
})

t.test('a client may be held to one algorithm', async (t) => {
  const jwks = { keys: [signer.jwk, rsa.jwk] }
  const id = await register({ jwks, tokenEndpointAuthSigningAlg: 'PS256' })
  const right = await present(await rsa.sign(assertionClaims(id, issuer)))
  t.equal(right.statusCode, 200)
  const wrong = await present(await signer.sign(assertionClaims(id, issuer)))
  t.strictSame(outcomeOf(wrong), unauthenticated())
})

t.test('a disabled client is refused, and its assertion stays unused', async (t) => {
  const id = await register()
  await deps.clientAdministration.disable(id, byOperator)
  const assertion = await signer.sign(assertionClaims(id, issuer))
  t.strictSame(outcomeOf(await present(assertion)), unauthenticated())
  await deps.clientAdministration.enable(id, byOperator)
  t.equal((await present(assertion)).statusCode, 200)
})

t.test('an assertion proves a client at revocation and introspection too', async (t) => {
  for (const url of ['/revoke', '/introspect']) {
    const form = { token: 'x', client_assertion_type: assertionType }
    const assertion = await signer.sign(claims())
    const answer = await postForm(app, url, { ...form, client_assertion: assertion })
    t.equal(answer.statusCode, 200, url)
    const again = await postForm(app, url, { ...form, client_assertion: assertion })
    t.strictSame(outcomeOf(again), unauthenticated(), url)
  }
})

t.test('of fifty uses of an assertion on two nodes one succeeds', async (t) => {
  const nodes = await startNodes(t)
  const id = await register({ jwks: { keys: [signer.jwk] } }, nodes[0].deps)
  const assertion = await signer.sign(assertionClaims(id, issuer))
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      present(assertion, {}, {}, nodes[index % 2 === 0 ? 0 : 1].app),
    ),
  )
  const statuses = answers.map(({ statusCode }) => statusCode).sort()
  t.strictSame(statuses, [200, ...new Array(49).fill(401)])
})
