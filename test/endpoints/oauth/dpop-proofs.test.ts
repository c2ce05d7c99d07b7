import { randomUUID } from 'node:crypto'
import t from 'tap'
import { createProofKey, nonceOf, type ProofParts, signProof } from '../../support/dpop.ts'
import { startService } from '../../support/service.ts'
import { createMachine, oauthError, outcomeOf, postForm } from './requests.ts'

const { app, deps } = await startService(t)
const machine = await createMachine(deps, { scope: ['read'] })
const key = createProofKey()
const otherKey = createProofKey()
const credentials = { grant_type: 'client_credentials' } as const

const send = (dpop?: string) =>
  postForm(app, '/token', credentials, {
    ...machine.headers,
    ...(dpop === undefined ? {} : { dpop }),
  })

const nonce = nonceOf(await send('anything'))
const now = () => Math.floor(deps.clock().getTime() / 1000)
const good = () => ({ htm: 'POST', htu: 'http://localhost:4000/token', iat: now(), nonce })
const prove = ({ header, claims }: ProofParts = {}, signer = key): string =>
  signProof(signer, { ...(header && { header }), claims: { ...good(), ...claims } })

t.test('the proof that is spoiled below is good: the token is bound to its key', async (t) => {
  const answer = await send(prove())
  t.equal(answer.statusCode, 200)
  const { access_token: token, ...rest } = answer.json()
  t.strictSame(rest, { token_type: 'DPoP', expires_in: 900, scope: 'read' })
  t.match(await deps.verifier.verify(token), { claims: { confirmation: { jkt: key.jkt } } })
  t.ok(nonceOf(answer), 'every answer gives a nonce')
})

for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']) {
  t.test(`a key for ${alg} does`, async (t) => {
    t.match((await send(prove({}, createProofKey(alg)))).json(), { token_type: 'DPoP' })
  })
}

const rsa = createProofKey('RS256')
const withoutSignature = (proof: string) => proof.replace(/[^.]*$/, '')
const flip = (proof: string) => proof.replace(/.(?=.{9}$)/, (one) => (one === 'A' ? 'B' : 'A'))

const wrong: Readonly<Record<string, readonly [proof: () => string, description: RegExp]>> = {
  // 2 and 3: one well-formed JWT with all claims
  'no JWT': [() => 'proof', /is not one JWT$/],
  'an empty text': [() => '', /is not one JWT$/],
  'two in one header': [() => `${prove()}, ${prove()}`, /is not one JWT$/],
  'white space after it': [() => `${prove()}==`, /is not one JWT$/],
  'an encrypted one': [() => `${prove()}.a.b`, /is not one JWT$/],
  'no signature': [() => withoutSignature(prove()), /is not one JWT$/],
  'a very long one': [() => prove({ claims: { jti: 'x'.repeat(9000) } }), /is too long$/],
  'a header that is no JSON': [() => `aaaa.${prove().split('.').slice(1).join('.')}`, /header/],
  'no jti': [() => prove({ claims: { jti: undefined } }), /claim/],
  'an empty jti': [() => prove({ claims: { jti: '' } }), /claim/],
  'a jti that is a number': [() => prove({ claims: { jti: 1 } }), /claim/],
  'no htm': [() => prove({ claims: { htm: undefined } }), /claim/],
  'no htu': [() => prove({ claims: { htu: undefined } }), /claim/],
  'no iat': [() => prove({ claims: { iat: undefined } }), /claim/],
  'an iat that is a text': [() => prove({ claims: { iat: `${now()}` } }), /claim/],
  'an iat beyond all times': [() => prove({ claims: { iat: 1e300 } }), /claim/],
  'a nonce that is a list': [() => prove({ claims: { nonce: [nonce] } }), /claim/],
  'an ath that is a number': [() => prove({ claims: { ath: 1 } }), /claim/],
  // 4: typ
  'typ JWT': [() => prove({ header: { typ: 'JWT' } }), /typ/],
  'typ at+jwt': [() => prove({ header: { typ: 'at+jwt' } }), /typ/],
  'no typ': [() => prove({ header: { typ: undefined } }), /typ/],
  // 5: alg
  'alg none': [() => prove({ header: { alg: 'none' } }), /alg/],
  'alg HS256': [() => prove({ header: { alg: 'HS256' } }), /alg/],
  'alg ES512': [() => prove({ header: { alg: 'ES512' } }), /alg/],
  'an alg of Object': [() => prove({ header: { alg: 'constructor' } }), /alg/],
  'an extension': [() => prove({ header: { crit: ['exp'], exp: 1 } }), /extension/],
  // 6: signature
  'a changed signature': [() => flip(prove()), /signature/],
  'the key of another': [() => prove({ header: { jwk: otherKey.jwk } }), /signature/],
  // 7: a public key, and a strong one
  'no key': [() => prove({ header: { jwk: undefined } }), /holds no key/],
  'a list of keys': [() => prove({ header: { jwk: [key.jwk] } }), /holds no key/],
  'the private key': [
    () => prove({ header: { jwk: key.privateKey.export({ format: 'jwk' }) } }),
    /not public/,
  ],
  'a shared key': [() => prove({ header: { jwk: { kty: 'oct', k: 'AAAA' } } }), /not public/],
  'an RSA key for ES256': [() => prove({ header: { jwk: rsa.jwk } }), /does not fit/],
  'a key for encryption': [
    () => prove({ header: { jwk: { ...key.jwk, use: 'enc' } } }),
    /not for signatures/,
  ],
  'a point that is not on the curve': [
    () => prove({ header: { jwk: { ...key.jwk, x: key.jwk.y } } }),
    /cannot be read/,
  ],
  'an RSA key with the exponent 1': [
    () => prove({ header: { jwk: { ...rsa.jwk, e: 'AQ' } } }, rsa),
    /refused/,
  ],
  // 8 and 9: method and address
  'htm GET': [() => prove({ claims: { htm: 'GET' } }), /htm/],
  'htm post': [() => prove({ claims: { htm: 'post' } }), /htm/],
  'another path': [() => prove({ claims: { htu: 'http://localhost:4000/revoke' } }), /htu/],
  'another host': [() => prove({ claims: { htu: 'http://evil.example/token' } }), /htu/],
  'another scheme': [() => prove({ claims: { htu: 'https://localhost:4000/token' } }), /htu/],
  'another port': [() => prove({ claims: { htu: 'http://localhost:4001/token' } }), /htu/],
  'the path in other letters': [
    () => prove({ claims: { htu: 'http://localhost:4000/Token' } }),
    /htu/,
  ],
  'a slash at the end': [() => prove({ claims: { htu: 'http://localhost:4000/token/' } }), /htu/],
  'an address with a user': [
    () => prove({ claims: { htu: 'http://a@localhost:4000/token' } }),
    /htu/,
  ],
  'no absolute address': [() => prove({ claims: { htu: '/token' } }), /htu/],
  // 11: time
  'an iat of an hour ago': [() => prove({ claims: { iat: now() - 3600 } }), /iat/],
  'an iat in an hour': [() => prove({ claims: { iat: now() + 3600 } }), /iat/],
}

for (const [what, [proof, description]] of Object.entries(wrong)) {
  t.test(`refused with invalid_dpop_proof (RFC 9449 §4.3): ${what}`, async (t) => {
    const answer = await send(proof())

    const outcome = outcomeOf(answer)
    t.match(outcome.body.error_description, description)
    t.strictSame(outcome, oauthError(400, 'invalid_dpop_proof', outcome.body.error_description))
    t.ok(nonceOf(answer), 'with a nonce for the next one')
  })
}

t.test('more than one DPoP header is refused (RFC 9449 §4.3, check 1)', async (t) => {
  const answer = await app.inject({
    method: 'POST',
    url: '/token',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...machine.headers,
      dpop: [prove(), prove()],
    },
    payload: 'grant_type=client_credentials',
  })
  t.strictSame(
    outcomeOf(answer),
    oauthError(400, 'invalid_dpop_proof', 'There is more than one DPoP proof'),
  )
})

for (const [what, claims] of Object.entries({
  'no nonce': { nonce: undefined },
  'a nonce of another server': { nonce: 'eyJ7S_zG.eyJH0-Z.HX4w-7v' },
  'a nonce that was changed': { nonce: nonce.replace(/^./, (one) => (one === 'A' ? 'B' : 'A')) },
  'a nonce with padding': { nonce: `${nonce}=` },
})) {
  t.test(`use_dpop_nonce, with the nonce to use (RFC 9449 §8): ${what}`, async (t) => {
    const answer = await send(prove({ claims }))

    const outcome = outcomeOf(answer)
    t.strictSame(outcome, oauthError(400, 'use_dpop_nonce', outcome.body.error_description))
    const again = await send(prove({ claims: { nonce: nonceOf(answer) } }))
    t.equal(again.statusCode, 200)
  })
}

t.test('a proof is good once; the same jti for another key is another proof', async (t) => {
  const claims = { jti: randomUUID() }
  const proof = prove({ claims })
  t.equal((await send(proof)).statusCode, 200)
  t.strictSame(
    outcomeOf(await send(proof)),
    oauthError(400, 'invalid_dpop_proof', 'The DPoP proof was used before'),
  )
  t.equal((await send(prove({ claims }, otherKey))).statusCode, 200)
})

t.test('a request that fails otherwise does not use up its proof', async (t) => {
  const proof = prove()
  const failed = await postForm(
    app,
    '/token',
    { ...credentials, scope: 'unknown' },
    { ...machine.headers, dpop: proof },
  )
  t.equal(failed.json().error, 'invalid_scope')
  t.equal((await send(proof)).statusCode, 200)
})

for (const htu of [
  'http://localhost:4000/token?a=b',
  'http://localhost:4000/token#fragment',
  'HTTP://LOCALHOST:4000/token',
  'http://localhost:4000/%74oken',
  'http://localhost:4000/x/../token',
]) {
  t.test(`the htu ${htu} is the token endpoint (RFC 3986 §6.2)`, async (t) => {
    t.equal((await send(prove({ claims: { htu } }))).statusCode, 200)
  })
}

t.test('the Host of a request does not decide what htu must be', async (t) => {
  const claims = { htu: 'http://evil.example/token' }
  const answer = await postForm(app, '/token', credentials, {
    ...machine.headers,
    host: 'evil.example',
    dpop: prove({ claims }),
  })
  t.equal(answer.json().error, 'invalid_dpop_proof')
})

t.test('a client that is registered for bound tokens gets no others', async (t) => {
  const bound = await createMachine(deps, { settings: { dpopBoundAccessTokens: true } })
  const answer = await postForm(app, '/token', credentials, bound.headers)
  t.strictSame(
    outcomeOf(answer),
    oauthError(400, 'invalid_dpop_proof', 'The client has to send a DPoP proof'),
  )
  t.equal(
    (await postForm(app, '/token', credentials, { ...bound.headers, dpop: prove() })).statusCode,
    200,
  )
})
