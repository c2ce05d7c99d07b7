import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { calculateJwkThumbprint, compactVerify, importJWK } from 'jose'
import t from 'tap'
import { generateSigningKey, openSigningKey, resealSigningKey } from '../../src/keys/signing-key.ts'
import { signingAlgorithms } from '../../src/oauth/algorithm.ts'
import { createSealer, SealError } from '../../src/secrets/sealer.ts'
import { drainMicrotasks } from '../support/microtasks.ts'

const sealer = createSealer([randomBytes(32)])
const claims = { iss: 'https://issuer.example', sub: 'ä', n: 1 }
const members = {
  RS256: ['kty', 'kid', 'use', 'alg', 'n', 'e'],
  PS256: ['kty', 'kid', 'use', 'alg', 'n', 'e'],
  ES256: ['kty', 'kid', 'use', 'alg', 'x', 'y', 'crv'],
  EdDSA: ['kty', 'kid', 'use', 'alg', 'crv', 'x'],
}
const make = async (algorithm: (typeof signingAlgorithms)[number]) => {
  const sealed = await generateSigningKey(algorithm, 2048, sealer)
  return { sealed, opened: await openSigningKey(sealed, sealer) }
}

for (const algorithm of signingAlgorithms) {
  t.test(`${algorithm}: jose verifies what the key signs, by its published form`, async (t) => {
    const { opened } = await make(algorithm)
    const token = await opened.signJwt('at+jwt', claims)
    const { payload, protectedHeader } = await compactVerify(
      token,
      await importJWK(opened.publicJwk, algorithm),
      { algorithms: [algorithm] },
    )
    t.strictSame(JSON.parse(Buffer.from(payload).toString()), claims)
    t.strictSame(protectedHeader, { alg: algorithm, typ: 'at+jwt', kid: opened.keyId })
    t.match(token, /^[\w-]+\.[\w-]+\.[\w-]+$/, 'base64url without padding')
  })

  t.test(`${algorithm}: the key id is the thumbprint (RFC 7638), the members public`, async (t) => {
    const { opened, sealed } = await make(algorithm)
    t.equal(opened.keyId, await calculateJwkThumbprint(opened.publicJwk))
    t.equal(sealed.keyId, opened.keyId)
    t.strictSame(Object.keys(opened.publicJwk).sort(), members[algorithm].sort())
    t.match(opened.publicJwk, { use: 'sig', alg: algorithm, kid: opened.keyId })
  })

  t.test(`${algorithm}: each \`typ\` has its own header`, async (t) => {
    const { opened } = await make(algorithm)
    const typOf = async (typ: string) => {
      const [header = ''] = (await opened.signJwt(typ, claims)).split('.')
      return JSON.parse(Buffer.from(header, 'base64url').toString()).typ
    }
    t.equal(await typOf('at+jwt'), 'at+jwt')
    t.equal(await typOf('JWT'), 'JWT')
    t.equal(await typOf('at+jwt'), 'at+jwt')
  })

  t.test(`${algorithm}: nothing gives the private half away`, async (t) => {
    const { opened, sealed } = await make(algorithm)
    const plain = sealer.open(sealed.sealedPrivateKey, `${algorithm} signing key ${sealed.keyId}`)
    const secret = createPrivateKey({ key: plain, format: 'der', type: 'pkcs8' }).export({
      format: 'jwk',
    }).d
    t.type(secret, 'string')
    const shown = inspect([opened, sealed], { depth: 10, showHidden: true })
    t.notOk(shown.includes(String(secret)))
    t.notOk(JSON.stringify([opened.publicJwk, sealed.publicJwk]).includes('"d"'))
    t.equal(opened.publicKey.type, 'public')
    t.notOk(sealed.sealedPrivateKey.includes(plain.subarray(-32)))
  })
}

t.test('an RSA key has the configured size and the exponent 65537', async (t) => {
  for (const bits of [2048, 3072]) {
    const { publicJwk } = await generateSigningKey('RS256', bits, sealer)
    t.equal(Buffer.from(String(publicJwk.n), 'base64url').length * 8, bits)
    t.equal(publicJwk.e, 'AQAB')
  }
})

t.test('signing with RSA leaves the event loop free', async (t) => {
  const sealed = await generateSigningKey('RS256', 2048, sealer)
  const { signJwt } = await openSigningKey(sealed, sealer)
  let done = false
  const signing = signJwt('at+jwt', claims).then(() => {
    done = true
  })
  await drainMicrotasks()
  t.equal(done, false, 'what were signed here and now would be done')
  await signing
})

t.test('many signatures at once are all good', async (t) => {
  for (const algorithm of signingAlgorithms) {
    const { opened } = await make(algorithm)
    const tokens = await Promise.all(
      Array.from({ length: 50 }, (_, n) => opened.signJwt('at+jwt', { n })),
    )
    const key = await importJWK(opened.publicJwk, algorithm)
    for (const token of tokens) await compactVerify(token, key)
    t.equal(new Set(tokens).size, 50, algorithm)
  }
})

t.test('sealed bytes fit no other row', async (t) => {
  const [first, second] = await Promise.all([make('ES256'), make('ES256')])
  const swapped = { ...first.sealed, sealedPrivateKey: second.sealed.sealedPrivateKey }
  await t.rejects(openSigningKey(swapped, sealer), {
    name: 'SealError',
    message: `ES256 signing key ${first.sealed.keyId} cannot be opened: the sealed data were changed, or belong to another row; restore them from a backup`,
  })
  const renamed = { ...first.sealed, keyId: second.sealed.keyId }
  await t.rejects(openSigningKey(renamed, sealer), SealError)
})

t.test('a row that another key was sealed into under its own id is refused', async (t) => {
  const { sealed } = await make('ES256')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const plain = privateKey.export({ format: 'der', type: 'pkcs8' })
  const sealedPrivateKey = sealer.seal(plain, `ES256 signing key ${sealed.keyId}`)
  await t.rejects(
    openSigningKey({ ...sealed, sealedPrivateKey }, sealer),
    new SealError(
      `ES256 signing key ${sealed.keyId} is not the thumbprint of the key that is stored there`,
    ),
  )
})

t.test('a key sealed again is the same key', async (t) => {
  const [before, after] = [randomBytes(32), randomBytes(32)]
  const sealed = await generateSigningKey('EdDSA', 2048, createSealer([before]))
  const sealedPrivateKey = resealSigningKey(sealed, createSealer([after, before]))
  const opened = await openSigningKey({ ...sealed, sealedPrivateKey }, createSealer([after]))
  t.strictSame({ ...opened.publicKey.export({ format: 'jwk' }) }, sealed.publicJwk)
})
