import { randomBytes } from 'node:crypto'
import { createLocalJWKSet, jwtVerify } from 'jose'
import t from 'tap'
import { addSeconds } from '../../src/clock.ts'
import { Unavailable } from '../../src/oauth/unavailable.ts'
import { openPostgres } from '../support/sql-backends.ts'
import { byCommand, day, lead, openNode } from './key-fixture.ts'

const claims = { iss: 'https://issuer.example', sub: 'someone' }

t.test(
  'a revoked key signs no more and is published no more; its successor is fetched',
  async (t) => {
    const backend = await openPostgres(t)
    const keys = [randomBytes(32)]
    const [near, far] = [openNode(t, backend, keys), openNode(t, backend, keys)]
    await near.ring.start()
    await far.ring.start()
    const [leaked] = far.ring.ages().filter(({ algorithm }) => algorithm === 'ES256')
    const revoke = leaked?.keyId ?? ''
    far.revoked.add(revoke)
    await t.rejects(
      far.ring.sign('ES256', 'at+jwt', claims),
      new Unavailable('no ES256 key signs yet'),
      'it never signs with the revoked one',
    )
    t.equal(far.ring.verificationKey(revoke), undefined)
    t.notOk(far.ring.jwks().body.includes(revoke))
    const request = { algorithm: 'ES256', revoke, dryRun: false, by: byCommand } as const
    const plan = await near.administration.promoteNext(request)
    const { protectedHeader } = await jwtVerify(
      await far.ring.sign('ES256', 'at+jwt', claims),
      createLocalJWKSet(JSON.parse(far.ring.jwks().body)),
    )
    t.equal(protectedHeader.kid, plan.outcome === 'done' && plan.promoted)
  },
)

t.test('however many signatures wait for the successor, it is looked for once', async (t) => {
  const backend = await openPostgres(t)
  const { ring, revoked, errors } = openNode(t, backend)
  await ring.start()
  for (const { keyId } of ring.ages()) revoked.add(keyId)
  await backend.db.destroy()
  const signatures = Array.from({ length: 20 }, () => ring.sign('ES256', 'at+jwt', claims))
  const refused = await Promise.allSettled(signatures)
  t.strictSame(new Set(refused.map(({ status }) => status)), new Set(['rejected']))
  t.match(errors, [['the signing keys could not be read again', { err: Error }]])
  t.equal(errors.length, 1)
})

t.test('it tells how old each key is and when the next one signs', async (t) => {
  const backend = await openPostgres(t)
  let elapsed = 0
  const clock = () => addSeconds(new Date(), elapsed)
  const options = { clock, rotationSeconds: 30 * day }
  const { ring, administration } = openNode(t, backend, undefined, options)
  t.strictSame(ring.ages(), [])
  await ring.start()
  elapsed = 100
  const listed = await administration.list()
  for (const { algorithm, keyId, ageSeconds, nextRotationAt } of ring.ages()) {
    const key = listed.find((each) => each.keyId === keyId)
    const begun = key?.signFrom ?? new Date(0)
    t.equal(key?.algorithm, algorithm)
    t.ok(ageSeconds >= 100 && ageSeconds < 160)
    t.strictSame(nextRotationAt, addSeconds(begun, 30 * day + lead))
    t.strictSame(key?.nextStep, { step: 'retire', at: nextRotationAt }, 'as the list says')
  }
  t.equal(ring.ages().length, 4)
})
