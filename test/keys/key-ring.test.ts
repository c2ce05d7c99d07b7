import { createHash, randomBytes } from 'node:crypto'
import { createLocalJWKSet, jwtVerify } from 'jose'
import t from 'tap'
import { addSeconds } from '../../src/clock.ts'
import { jwksCacheControl } from '../../src/keys/jwks.ts'
import { signingAlgorithms } from '../../src/oauth/algorithm.ts'
import { Unavailable } from '../../src/oauth/unavailable.ts'
import { openPostgres } from '../support/sql-backends.ts'
import { waitUntil } from '../support/wait-until.ts'
import { byCommand, day, lead, openNode, publishedKeys } from './key-fixture.ts'

const claims = { iss: 'https://issuer.example', sub: 'someone' }

t.test('the first start makes a current and a next key of each algorithm', async (t) => {
  const { ring, administration } = openNode(t, await openPostgres(t))
  t.strictSame(ring.algorithms(), [])
  await ring.start()
  t.strictSame(ring.algorithms(), ['RS256', 'ES256', 'EdDSA', 'PS256'])
  const states = (await administration.list()).map(({ algorithm, state }) => [algorithm, state])
  t.strictSame(
    states.sort(),
    ['ES256', 'EdDSA', 'PS256', 'RS256'].flatMap((algorithm) => [
      [algorithm, 'current'],
      [algorithm, 'next'],
    ]),
  )
})

t.test('the published keys are public members with kid, use and alg, next ones too', async (t) => {
  const node = openNode(t, await openPostgres(t))
  await node.ring.start()
  const published = publishedKeys(node)
  const stored = await node.administration.list()
  t.strictSame(published.map(({ kid }) => kid).sort(), stored.map(({ keyId }) => keyId).sort())
  for (const { kty, kid, use, alg, n, e, crv, x, y, ...others } of published) {
    t.strictSame(others, {}, `${alg} has no other member`)
    t.equal(use, 'sig')
    t.strictSame(
      { kty, crv, members: [n, e, x, y].map((member) => typeof member) },
      {
        RS256: {
          kty: 'RSA',
          crv: undefined,
          members: ['string', 'string', 'undefined', 'undefined'],
        },
        PS256: {
          kty: 'RSA',
          crv: undefined,
          members: ['string', 'string', 'undefined', 'undefined'],
        },
        ES256: { kty: 'EC', crv: 'P-256', members: ['undefined', 'undefined', 'string', 'string'] },
        EdDSA: {
          kty: 'OKP',
          crv: 'Ed25519',
          members: ['undefined', 'undefined', 'string', 'undefined'],
        },
      }[String(alg)],
      String(alg),
    )
    t.equal(node.ring.verificationKey(String(kid))?.algorithm, alg)
  }
})

t.test('the key set is the same bytes, with the same strong ETag, on every node', async (t) => {
  const backend = await openPostgres(t)
  const keys = [randomBytes(32)]
  const [first, second] = [openNode(t, backend, keys), openNode(t, backend, keys)]
  await first.ring.start()
  await second.ring.start()
  const { body, etag } = first.ring.jwks()
  t.strictSame(second.ring.jwks(), { body, etag })
  t.equal(etag, `"${createHash('sha256').update(body).digest('base64url')}"`)
  await first.ring.reload()
  t.strictSame(first.ring.jwks(), { body, etag }, 'and after a reload')
  t.equal(jwksCacheControl, 'public, max-age=300, stale-while-revalidate=60')
})

t.test('jose verifies what the ring signs, by the published keys alone', async (t) => {
  const { ring } = openNode(t, await openPostgres(t))
  await ring.start()
  const published = createLocalJWKSet(JSON.parse(ring.jwks().body))
  for (const algorithm of signingAlgorithms) {
    const token = await ring.sign(algorithm, 'at+jwt', claims)
    const { payload, protectedHeader } = await jwtVerify(token, published, {
      algorithms: [algorithm],
      typ: 'at+jwt',
    })
    t.strictSame(payload, claims)
    t.equal(protectedHeader.alg, algorithm)
    const ours = ring.verificationKey(String(protectedHeader.kid))
    t.ok(ours && (await jwtVerify(token, ours.key)), 'and so does our own verifier')
  }
})

t.test('without the database it signs and publishes what it has, and says so', async (t) => {
  const backend = await openPostgres(t)
  const node = openNode(t, backend)
  await node.ring.start()
  const before = node.ring.jwks()
  await backend.db.destroy()
  await node.ring.reload()
  t.match(node.errors, [['the signing keys could not be read again', { err: Error }]])
  t.strictSame(node.ring.jwks(), before)
  t.match(await node.ring.sign('ES256', 'at+jwt', claims), /^ey/)
  t.strictSame(node.ring.algorithms(), [...signingAlgorithms])
})

t.test('after a rotation the next key signs and the former one still verifies', async (t) => {
  const backend = await openPostgres(t)
  const { ring, administration } = openNode(t, backend)
  await ring.start()
  const before = await ring.sign('EdDSA', 'at+jwt', claims)
  backend.moveTime(day)
  const [plan] = await administration.rotate({ algorithm: 'EdDSA', dryRun: false, by: byCommand })
  if (plan?.outcome !== 'rotated') throw new Error(`not rotated: ${JSON.stringify(plan)}`)
  backend.moveTime(lead)
  await ring.reload()

  const { protectedHeader } = await jwtVerify(
    await ring.sign('EdDSA', 'at+jwt', claims),
    createLocalJWKSet(JSON.parse(ring.jwks().body)),
  )
  t.equal(protectedHeader.kid, plan.promote)
  const { protectedHeader: former } = await jwtVerify(
    before,
    createLocalJWKSet(JSON.parse(ring.jwks().body)),
  )
  t.equal(former.kid, plan.retire)

  const untilDrop = (plan.dropAfter.getTime() - Date.now()) / 1000 - day - lead
  backend.moveTime(untilDrop - 5)
  await ring.reload()
  t.equal(ring.verificationKey(plan.retire)?.algorithm, 'EdDSA', 'five seconds before its end')
  backend.moveTime(5)
  await ring.reload()
  t.equal(ring.verificationKey(plan.retire), undefined, 'after its end')
  t.notOk(ring.jwks().body.includes(plan.retire))
})

t.test('a key is dropped in time although the database is away', async (t) => {
  const backend = await openPostgres(t)
  let elapsed = 0
  const clock = () => addSeconds(new Date(), elapsed)
  const { ring, administration } = openNode(t, backend, undefined, { clock })
  await ring.start()
  backend.moveTime(day)
  const [plan] = await administration.rotate({ algorithm: 'ES256', dryRun: false, by: byCommand })
  if (plan?.outcome !== 'rotated') throw new Error(`not rotated: ${JSON.stringify(plan)}`)
  await ring.reload()
  await backend.db.destroy()
  elapsed = 2 * day
  t.equal(ring.verificationKey(plan.retire), undefined)
  await ring.reload()
  t.notOk(ring.jwks().body.includes(plan.retire))
})

t.test('an unknown key id is looked for once, and found for the next request', async (t) => {
  const backend = await openPostgres(t)
  const keys = [randomBytes(32)]
  const [first, second] = [openNode(t, backend, keys), openNode(t, backend, keys)]
  await first.ring.start()
  await second.ring.start()
  backend.moveTime(day)
  await first.administration.rotate({ algorithm: 'ES256', dryRun: false, by: byCommand })
  await first.ring.reload()
  const unknown = publishedKeys(first)
    .map(({ kid }) => String(kid))
    .find((kid) => !second.ring.jwks().body.includes(kid))
  t.type(unknown, 'string', 'a key that the second node has not seen')
  t.equal(second.ring.verificationKey(String(unknown)), undefined)
  const found = await waitUntil('the key', () => second.ring.verificationKey(String(unknown)))
  t.equal(found.algorithm, 'ES256')
})

t.test('invented key ids cause at most one query in five seconds', async (t) => {
  const backend = await openPostgres(t)
  const { ring, errors } = openNode(t, backend)
  await ring.start()
  await backend.db.destroy()
  for (let n = 0; n < 100; n += 1) t.equal(ring.verificationKey(`invented ${n}`), undefined)
  await waitUntil('the one query to fail', () => errors.length > 0)
  t.equal(errors.length, 1)
})

t.test('keys of another node arrive by themselves', async (t) => {
  const backend = await openPostgres(t)
  const keys = [randomBytes(32)]
  const first = openNode(t, backend, keys)
  const second = openNode(t, backend, keys, { reloadIntervalMs: 20 })
  await first.ring.start()
  await second.ring.start()
  const before = second.ring.jwks().etag
  backend.moveTime(day)
  await first.administration.rotate({ algorithm: 'ES256', dryRun: false, by: byCommand })
  await waitUntil('the rotation', () => second.ring.jwks().etag !== before)
  await first.ring.reload()
  t.strictSame(second.ring.jwks(), first.ring.jwks())
})

t.test(
  'without the key-encryption key that was used the start fails with what to do',
  async (t) => {
    const backend = await openPostgres(t)
    await openNode(t, backend).ring.start()
    const { ring } = openNode(t, backend)
    await t.rejects(ring.start(), {
      name: 'SealError',
      message:
        /^ES256 signing key [\w-]{43} is sealed under a key-encryption key that is not configured: add the key that was used before to KEY_ENCRYPTION_KEY \(or the file that KEY_ENCRYPTION_KEY_FILE names\), after the newest one, separated by a comma$/,
    })
  },
)

t.test('a node that lacks the newest key-encryption key goes on, and says so', async (t) => {
  const backend = await openPostgres(t)
  const [older, newer] = [randomBytes(32), randomBytes(32)]
  const behind = openNode(t, backend, [older])
  const ahead = openNode(t, backend, [newer, older])
  await behind.ring.start()
  await ahead.ring.start()
  const before = behind.ring.jwks()
  t.equal(await ahead.administration.reseal(byCommand), 8)
  await behind.ring.reload()
  t.strictSame(behind.ring.jwks(), before, 'the keys it has are still the same keys')
  t.equal(behind.errors.length, 8)
  t.match(behind.errors[0], ['a signing key cannot be opened', { err: { name: 'SealError' } }])
  t.match(await behind.ring.sign('ES256', 'at+jwt', claims), /^ey/)
})

t.test('the keys of an algorithm that comes later sign once they were published', async (t) => {
  const backend = await openPostgres(t)
  const keys = [randomBytes(32)]
  await openNode(t, backend, keys).ring.start()
  await backend.db.deleteFrom('signing_keys').where('algorithm', '=', 'PS256').execute()
  const node = openNode(t, backend, keys)
  await node.ring.start()
  t.equal(publishedKeys(node).filter(({ alg }) => alg === 'PS256').length, 2)
  t.strictSame(node.ring.algorithms(), ['RS256', 'ES256', 'EdDSA'])
  await t.rejects(
    node.ring.sign('PS256', 'at+jwt', claims),
    new Unavailable('no PS256 key signs yet'),
  )
  backend.moveTime(day)
  await node.ring.reload()
  t.strictSame(node.ring.algorithms(), ['RS256', 'ES256', 'EdDSA', 'PS256'])
  t.match(await node.ring.sign('PS256', 'at+jwt', claims), /^ey/)
})

t.test('a clock that is behind does not keep new keys from signing', async (t) => {
  const clock = () => addSeconds(new Date(), -300)
  const { ring } = openNode(t, await openPostgres(t), undefined, { clock })
  await ring.start()
  t.match(await ring.sign('RS256', 'at+jwt', claims), /^ey/)
})
