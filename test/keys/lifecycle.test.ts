import fc from 'fast-check'
import t from 'tap'
import { addSeconds } from '../../src/clock.ts'
import {
  findCurrent,
  findMissingKeys,
  planRotation,
  publicationSeconds,
  type RingKey,
  type RotationPolicy,
  retentionSeconds,
  stateOf,
} from '../../src/keys/lifecycle.ts'
import { createRotationPolicy } from '../../src/keys/rotation-policy.ts'

const start = new Date('2026-11-20T12:00:00Z')
const at = (seconds: number) => addSeconds(start, seconds)
const policy: RotationPolicy = {
  longestTokenLifetimeSeconds: 900,
  minimumPublicationSeconds: 86_400,
  maxAgeSeconds: 300,
  staleWhileRevalidateSeconds: 60,
  nodeReloadSeconds: 30,
  skewSeconds: 60,
}
const day = 86_400

const key = (keyId: string, times: Partial<RingKey> = {}): RingKey => ({
  keyId,
  algorithm: 'ES256',
  publishedAt: start,
  signFrom: null,
  signUntil: null,
  dropAfter: null,
  ...times,
})

t.test('a key is next, current, retired and gone, each from its time on', async (t) => {
  const whole = key('a', { signFrom: at(10), signUntil: at(20), dropAfter: at(30) })
  const states = [9, 10, 19, 20, 29, 30].map((seconds) => stateOf(whole, at(seconds)))
  t.strictSame(states, ['next', 'current', 'current', 'retired', 'retired', 'gone'])
})

t.test('without further times a key waits, or signs until it is replaced', async (t) => {
  t.equal(stateOf(key('a'), at(10 * 365 * day)), 'next')
  t.equal(stateOf(key('a', { signFrom: start }), at(10 * 365 * day)), 'current')
})

t.test('the current key is the one that began last, in its own ring', async (t) => {
  const keys = [
    key('older', { signFrom: at(0) }),
    key('newer', { signFrom: at(10) }),
    key('scheduled', { signFrom: at(100) }),
    key('elsewhere', { signFrom: at(20), algorithm: 'EdDSA' }),
  ]
  t.equal(findCurrent(keys, 'ES256', at(50))?.keyId, 'newer')
  t.equal(findCurrent(keys, 'ES256', at(5))?.keyId, 'older')
  t.equal(findCurrent(keys, 'ES256', at(100))?.keyId, 'scheduled')
  t.equal(findCurrent(keys, 'ES256', at(-1)), undefined)
  t.equal(findCurrent(keys, 'RS256', at(50)), undefined)
})

t.test('a key is published for a day, or longer where verifiers cache longer', async (t) => {
  t.equal(publicationSeconds(policy), day)
  t.equal(publicationSeconds({ ...policy, maxAgeSeconds: 2 * day }), 2 * day + 60 + 30 + 60)
})

t.test('a retired key outlives what it signed, in every cache and on every clock', async (t) => {
  t.equal(retentionSeconds(policy), 900 + 300 + 60 + 30 + 60)
  t.strictSame(createRotationPolicy(900), policy)
})

const waitingRing = [key('a', { signFrom: start }), key('b')]

t.test('a rotation retires the current key and promotes the next one', async (t) => {
  t.strictSame(planRotation(waitingRing, 'ES256', at(day), policy), {
    algorithm: 'ES256',
    outcome: 'planned',
    retire: 'a',
    promote: 'b',
    signFrom: at(day + 60),
    dropAfter: at(day + 60 + 1350),
  })
})

const refusals: Record<string, { keys: RingKey[]; now: number; reason: string; safeAt: unknown }> =
  {
    'the next key is a second too young': {
      keys: waitingRing,
      now: day - 1,
      reason: 'verifiers may not know the next key yet',
      safeAt: at(day),
    },
    'there is no next key': {
      keys: [key('a', { signFrom: start })],
      now: day,
      reason: 'no next key is published; the service publishes one when it starts',
      safeAt: null,
    },
    'there is no key at all': {
      keys: [],
      now: day,
      reason: 'no next key is published; the service publishes one when it starts',
      safeAt: null,
    },
    'the ring is new and waits for its first day': {
      keys: [key('a', { signFrom: at(2 * day) }), key('b')],
      now: day,
      reason: 'its first key does not sign yet',
      safeAt: at(2 * day),
    },
    'the last rotation has not taken effect': {
      keys: [
        key('a', { signFrom: start, signUntil: at(day + 1), dropAfter: at(2 * day) }),
        key('b', { signFrom: at(day + 1) }),
        key('c'),
      ],
      now: day,
      reason: 'the last rotation has not taken effect yet',
      safeAt: at(day + 1),
    },
    'the only other keys are of another algorithm': {
      keys: waitingRing.map((other) => ({ ...other, algorithm: 'EdDSA' })),
      now: day,
      reason: 'no next key is published; the service publishes one when it starts',
      safeAt: null,
    },
  }
for (const [title, { keys, now, reason, safeAt }] of Object.entries(refusals)) {
  t.test(`a rotation is refused when ${title}`, async (t) => {
    t.strictSame(planRotation(keys, 'ES256', at(now), policy), {
      algorithm: 'ES256',
      outcome: 'refused',
      reason,
      safeAt,
    })
  })
}

t.test('a ring needs a key that lasts and one that waits', async (t) => {
  const complete = (['RS256', 'EdDSA', 'PS256'] as const).flatMap((algorithm) => [
    key(`${algorithm} a`, { algorithm, signFrom: start }),
    key(`${algorithm} b`, { algorithm }),
  ])
  const signer = { algorithm: 'ES256', role: 'signer' }
  const next = { algorithm: 'ES256', role: 'next' }
  const retired = key('r', { signFrom: start, signUntil: at(1), dropAfter: at(2) })
  t.strictSame(findMissingKeys(complete), [signer, next])
  t.strictSame(findMissingKeys([...complete, retired]), [signer, next])
  t.strictSame(findMissingKeys([...complete, key('b')]), [signer])
  t.strictSame(findMissingKeys([...complete, key('a', { signFrom: at(9) })]), [next])
  t.strictSame(findMissingKeys([...complete, ...waitingRing]), [])
  t.equal(findMissingKeys([]).length, 8)
})

/** What the database does with a plan. */
const apply = (keys: readonly RingKey[], now: Date, name: string): RingKey[] => {
  const plan = planRotation(keys, 'ES256', now, policy)
  if (plan.outcome === 'refused') return [...keys]
  const changed = keys.map((each): RingKey => {
    const { signFrom, dropAfter } = plan
    if (each.keyId === plan.promote) return { ...each, signFrom }
    return each.keyId === plan.retire ? { ...each, signUntil: signFrom, dropAfter } : each
  })
  return [...changed, key(name, { publishedAt: now })]
}

t.test('whenever rotations are tried, at every moment the ring is sound', async (t) => {
  const pauses = fc.array(fc.integer({ min: 0, max: 3 * day }), { minLength: 1, maxLength: 30 })
  const moments = fc.array(fc.integer({ min: 0, max: 100 * day }), { minLength: 1, maxLength: 50 })
  fc.assert(
    fc.property(pauses, moments, (steps, probes) => {
      let keys: RingKey[] = [...waitingRing]
      let elapsed = 0
      for (const [index, step] of steps.entries()) {
        elapsed += step
        keys = apply(keys, at(elapsed), `key ${index}`)
      }
      return probes.every((seconds) => isSound(keys, at(seconds)))
    }),
  )
  t.pass('one current key, published a day before; the retired kept as long as its tokens')
})

const isSound = (keys: readonly RingKey[], now: Date): boolean => {
  const published = keys.filter(({ publishedAt }) => publishedAt <= now)
  const inState = (state: string) => published.filter((each) => stateOf(each, now) === state)
  const [current, ...otherCurrent] = inState('current')
  const isFirst = current?.keyId === 'a'
  return (
    current !== undefined &&
    otherCurrent.length === 0 &&
    findCurrent(keys, 'ES256', now)?.keyId === current.keyId &&
    published.filter(({ signFrom }) => signFrom === null || signFrom > now).length >= 1 &&
    (isFirst || Number(current.signFrom) - Number(current.publishedAt) >= day * 1000) &&
    keys.every(
      (each) =>
        each.signUntil === null ||
        Number(each.dropAfter) - Number(each.signUntil) === retentionSeconds(policy) * 1000,
    )
  )
}
