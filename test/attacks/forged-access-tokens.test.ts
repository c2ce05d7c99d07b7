import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT } from 'jose'
import t from 'tap'
import { createMachine, outcomeOf, postForm } from '../endpoints/oauth/requests.ts'
import { connect, keysOfItsOwn, startService } from '../support/service.ts'
import {
  type Claims,
  type Forgery,
  macJws,
  prepareForgery,
  signJws,
  withoutSignature,
} from './forgery.ts'

const service = await startService(t)
const { app, config, deps } = service
const db = await connect(t, service)
const forgery = await prepareForgery(t, service)
const asker = await createMachine(deps, { resourceServer: [config.issuer] })
const refresher = await createMachine(deps, { grantTypes: ['refresh_token'] })
// The same database and keys under another name: its signatures are genuine.
const sibling = await startService(t, {
  DATABASE_URL: service.databaseUrl,
  ISSUER: 'http://localhost:4001',
})
// The same name with a database of its own: a service of an attacker.
const impostor = await startService(t, keysOfItsOwn)
const fetched: string[] = []
const attackersServer = createServer((request, response) => {
  fetched.push(request.url ?? '')
  response.end(JSON.stringify({ keys: [forgery.strangerJwk] }))
}).listen(0, '127.0.0.1')
await once(attackersServer, 'listening')
t.teardown(() => attackersServer.close())
const attackersUrl = `http://127.0.0.1:${(attackersServer.address() as AddressInfo).port}/jwks.json`

const seconds = () => Math.floor(deps.clock().getTime() / 1000)
const without = (claims: Claims, name: string): Claims =>
  Object.fromEntries(Object.entries(claims).filter(([each]) => each !== name))
/** Signed by the service itself, as only a mistake elsewhere could have it. */
const signedByUs = ({ header, claims, ourKey }: Forgery, change: Claims): string =>
  signJws(header, { ...claims, ...change }, ourKey)
const changeLast = (text: string): string => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  // Only bits that decode to nothing: the bytes stay the same.
  return text.slice(0, -1) + alphabet.charAt(alphabet.indexOf(text.slice(-1)) + 1)
}
const pem = { format: 'pem', type: 'spki' } as const
const der = { format: 'der', type: 'spki' } as const

const forgeries: Record<string, (forgery: Forgery) => string | Promise<string>> = {
  'alg none without a signature': ({ header, claims }) =>
    withoutSignature({ ...header, alg: 'none' }, claims),
  'alg none with the old signature': ({ header, claims, parts }) =>
    withoutSignature({ ...header, alg: 'none' }, claims) + parts[2],
  'alg None': ({ header, claims, parts }) =>
    withoutSignature({ ...header, alg: 'None' }, claims) + parts[2],
  'no alg': ({ claims, header, ourKey }) => signJws(without(header, 'alg'), claims, ourKey),
  'no signature': ({ parts }) => `${parts[0]}.${parts[1]}.`,
  'HS256 with the public key in PEM': ({ header, claims, ourPublicKey }) =>
    macJws({ ...header, alg: 'HS256' }, claims, ourPublicKey.export(pem)),
  'HS256 with the public key in DER': ({ header, claims, ourPublicKey }) =>
    macJws({ ...header, alg: 'HS256' }, claims, ourPublicKey.export(der)),
  'HS256 with the public key as a JWK': ({ header, claims, ourPublicKey }) =>
    macJws(
      { ...header, alg: 'HS256' },
      claims,
      JSON.stringify(ourPublicKey.export({ format: 'jwk' })),
    ),
  'HS256 with an empty secret': ({ header, claims }) =>
    macJws({ ...header, alg: 'HS256' }, claims, ''),
  'another algorithm with our RS256 key': ({ header, claims, ourKey }) =>
    new SignJWT({ ...claims }).setProtectedHeader({ ...header, alg: 'PS256' }).sign(ourKey),
  'a key of a stranger under our kid': ({ header, claims, strangerKey }) =>
    signJws(header, claims, strangerKey),
  'a key of a stranger under its own kid': ({ header, claims, strangerKey, strangerJwk }) =>
    signJws({ ...header, kid: strangerJwk.kid }, claims, strangerKey),
  'the kid of another key of ours': async ({ header, claims, ourKey }) => {
    const { keys } = JSON.parse(deps.keyRing.jwks().body) as {
      keys: { kid: string; alg: string }[]
    }
    const other = keys.find((key) => key.alg === 'ES256')
    return signJws({ ...header, kid: other?.kid }, claims, ourKey)
  },
  'an embedded jwk': ({ header, claims, strangerKey, strangerJwk }) =>
    signJws({ ...header, kid: strangerJwk.kid, jwk: strangerJwk }, claims, strangerKey),
  'an embedded jwk under our kid': ({ header, claims, strangerKey, strangerJwk }) =>
    signJws({ ...header, jwk: strangerJwk }, claims, strangerKey),
  'a jku': ({ header, claims, strangerKey, strangerJwk }) =>
    signJws({ ...header, kid: strangerJwk.kid, jku: attackersUrl }, claims, strangerKey),
  'an x5u': ({ header, claims, strangerKey, strangerJwk }) =>
    signJws({ ...header, kid: strangerJwk.kid, x5u: attackersUrl }, claims, strangerKey),
  'no kid': ({ header, claims, ourKey }) => signJws(without(header, 'kid'), claims, ourKey),
  'a kid that is a path': ({ header, claims, ourKey }) =>
    signJws({ ...header, kid: '../../../../dev/null' }, claims, ourKey),
  'a kid that is SQL': ({ header, claims, ourKey }) =>
    signJws({ ...header, kid: "' OR '1'='1" }, claims, ourKey),
  'a kid that is a name of the language': ({ header, claims, ourKey }) =>
    signJws({ ...header, kid: '__proto__' }, claims, ourKey),
  'a kid that is a list': ({ header, claims, ourKey }) =>
    signJws({ ...header, kid: [header.kid] }, claims, ourKey),
  'an unknown critical extension': ({ header, claims, ourKey }) =>
    signJws({ ...header, crit: ['x'], x: true }, claims, ourKey),
  'an unencoded payload (RFC 7797)': ({ header, claims, ourKey }) =>
    signJws({ ...header, crit: ['b64'], b64: false }, claims, ourKey),
  'typ JWT': ({ header, claims, ourKey }) => signJws({ ...header, typ: 'JWT' }, claims, ourKey),
  'typ of a logout token': ({ header, claims, ourKey }) =>
    signJws({ ...header, typ: 'logout+jwt' }, claims, ourKey),
  'no typ': ({ header, claims, ourKey }) => signJws(without(header, 'typ'), claims, ourKey),
  'the payload of another': ({ parts, claims }) =>
    `${parts[0]}.${Buffer.from(JSON.stringify({ ...claims, sub: 'x' })).toString('base64url')}.${parts[2]}`,
  'another issuer with our key': (it) => signedByUs(it, { iss: 'http://localhost:4001' }),
  'an issuer that is nearly ours': (it) => signedByUs(it, { iss: `${config.issuer}/` }),
  'the token of a sibling service': () =>
    sibling.deps.keyRing.sign('RS256', 'at+jwt', { ...forgery.claims, iss: sibling.config.issuer }),
  'the token of a service with our name': () =>
    impostor.deps.keyRing.sign('RS256', 'at+jwt', forgery.claims),
  'expired a second ago': (it) => signedByUs(it, { exp: seconds() - 1 }),
  'expires now': (it) => signedByUs(it, { exp: seconds() }),
  'not good before a minute from now': (it) => signedByUs(it, { nbf: seconds() + 60 }),
  'expired before the epoch': (it) => signedByUs(it, { exp: -1 }),
  'exp beyond all dates': (it) => signedByUs(it, { exp: 1e300 }),
  'exp between two seconds': (it) => signedByUs(it, { exp: seconds() + 900.5 }),
  'exp as null': (it) => signedByUs(it, { exp: null }),
  'iat as a text': (it) => signedByUs(it, { iat: String(seconds()) }),
  'iat beyond all dates': (it) => signedByUs(it, { iat: 1e300 }),
  'nbf as a text': (it) => signedByUs(it, { nbf: String(seconds()) }),
  'exp as a text': (it) => signedByUs(it, { exp: String(seconds() + 900) }),
  'sub as a number': (it) => signedByUs(it, { sub: 1 }),
  'jti as a number': (it) => signedByUs(it, { jti: 1 }),
  'aud as an object': (it) => signedByUs(it, { aud: { [config.issuer]: true } }),
  'aud as an empty list': (it) => signedByUs(it, { aud: [] }),
  'client_id as a list': (it) => signedByUs(it, { client_id: ['first-party'] }),
  'a payload that is no object': ({ header, ourKey }) => signJws(header, '[]', ourKey),
  'a payload that is no JSON': ({ header, ourKey }) => signJws(header, 'x', ourKey),
  'spare bits in the signature': ({ valid }) => changeLast(valid),
  'padding behind the signature': ({ valid }) => `${valid}==`,
  'letters of plain base64': ({ valid }) => `${valid.slice(0, -2)}+/`,
  'a letter more': ({ valid }) => `${valid}A`,
  'a letter less': ({ valid }) => valid.slice(0, -1),
  'a dot more': ({ valid }) => `${valid}.`,
  'a segment less': ({ parts }) => `${parts[0]}.${parts[1]}`,
  'five segments, as of a JWE': ({ parts }) => `${parts[0]}..${parts[1]}.${parts[2]}.AA`,
  'the same token twice': ({ valid }) => `${valid}.${valid}`,
}

for (const name of ['iss', 'sub', 'aud', 'client_id', 'jti', 'iat', 'exp']) {
  forgeries[`no ${name}`] = ({ header, claims, ourKey }) =>
    signJws(header, without(claims, name), ourKey)
}

// These cannot stand behind `Bearer`: the header is malformed before there is a token.
const unspeakable: Record<string, (forgery: Forgery) => string> = {
  'padding behind the header': ({ parts }) => `${parts[0]}=.${parts[1]}.${parts[2]}`,
  'a line break behind the signature': ({ valid }) => `${valid}\n`,
  'a space behind the signature': ({ valid }) => `${valid} `,
  'a space before the header': ({ valid }) => ` ${valid}`,
  'a line break within': ({ parts }) => `${parts[0]}.\n${parts[1]}.${parts[2]}`,
  'a JSON serialization': ({ parts }) =>
    JSON.stringify({ protected: parts[0], payload: parts[1], signature: parts[2] }),
}

const bearer = (token: string) =>
  app.inject({ url: '/auth/me', headers: { authorization: `Bearer ${token}` } })
const countRevocations = async () =>
  (await db.selectFrom('revocations').select('value').execute()).length

const inactive = { status: 200, body: { active: false } }
const withoutEffect = { status: 200, body: '' }
const invalidGrant = { status: 400, body: { error: 'invalid_grant', code: 'unknown' } }

t.test('the original is good, so what is refused below is refused for its forgery', async (t) => {
  t.equal((await bearer(forgery.valid)).statusCode, 200)
  const resigned = signJws(forgery.header, forgery.claims, forgery.ourKey)
  t.equal((await bearer(resigned)).statusCode, 200)
  t.match(outcomeOf(await postForm(app, '/introspect', { token: resigned }, asker.headers)), {
    body: { active: true },
  })
})

for (const [what, forge] of Object.entries({ ...forgeries, ...unspeakable })) {
  t.test(`a forged access token is refused everywhere: ${what}`, async (t) => {
    const token = await forge(forgery)
    const before = await countRevocations()
    const ask = async (url: string, form: Record<string, string>, headers = {}) =>
      outcomeOf(await postForm(app, url, form, headers))

    t.match(await ask('/introspect', { token }, asker.headers), inactive)
    t.strictSame((await ask('/introspect', { token }, asker.headers)).body, { active: false })
    t.match(await ask('/revoke', { token, client_id: 'first-party' }), withoutEffect)
    t.match(
      await ask('/token', { grant_type: 'refresh_token', refresh_token: token }, refresher.headers),
      invalidGrant,
    )
    t.equal(await countRevocations(), before)
    if (what in forgeries) {
      const verified = await app.inject({ method: 'POST', url: '/auth/verify', payload: { token } })
      t.match([verified.statusCode, verified.json()], [200, { active: false, code: String }])
      const answer = await bearer(token)
      t.equal(answer.statusCode, 401)
      t.match(answer.headers['www-authenticate'], /^Bearer .*error="invalid_token"/)
    }
  })
}

t.test('after all that the original is still good, and nothing was fetched', async (t) => {
  t.equal((await bearer(forgery.valid)).statusCode, 200)
  t.strictSame(fetched, [])
})
