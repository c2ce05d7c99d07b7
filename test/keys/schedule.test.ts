import fc from 'fast-check'
import t from 'tap'
import { addSeconds } from '../../src/clock.ts'
import {
  findCurrent,
  leadSeconds,
  objectionSeconds,
  type RotationPolicy,
  stateOf,
} from '../../src/keys/lifecycle.ts'
import { isMacKeyPutOff } from '../../src/keys/mac-key-rotation.ts'
import { defaultKeyTiming } from '../../src/keys/rotation-policy.ts'
import {
  isMacKeyDue,
  nextRotationAt,
  planScheduled,
  type Schedule,
} from '../../src/keys/schedule.ts'
import { at, type Step, simulate } from './simulation.ts'

const seconds = (max: number) => fc.integer({ min: 0, max })

const policies: fc.Arbitrary<RotationPolicy> = fc.record({
  longestTokenLifetimeSeconds: seconds(5000),
  minimumPublicationSeconds: seconds(20_000),
  maxAgeSeconds: seconds(400),
  staleWhileRevalidateSeconds: seconds(100),
  nodeReloadSeconds: seconds(60),
  skewSeconds: seconds(120),
})

const scheduleOf = (policy: RotationPolicy, rotationSeconds: number): Schedule => {
  const { longestTokenLifetimeSeconds: _lifetime, ...timing } = policy
  return { rotationSeconds, timing }
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    wait: fc.oneof(seconds(100), seconds(50_000)),
    act: fc.constantFrom('schedule', 'command', 'nothing'),
  }),
  { minLength: 1, maxLength: 60 },
)

const histories = fc.tuple(policies, seconds(40_000), steps).map(([policy, rotation, taken]) => ({
  policy,
  history: simulate(policy, scheduleOf(policy, rotation), taken),
}))

/** Seconds after which each verifier has a key that was published, whichever node it asked. */
const knownAfter = (policy: RotationPolicy): number =>
  Math.max(
    policy.minimumPublicationSeconds,
    policy.maxAgeSeconds + policy.staleWhileRevalidateSeconds + policy.nodeReloadSeconds,
  )

/** A moment of the history, and shares of the longest delays that are allowed for. */
const moments = fc.array(
  fc.tuple(...Array.from({ length: 6 }, () => fc.double({ min: 0, max: 1, noNaN: true }))),
  {
    minLength: 1,
    maxLength: 40,
  },
)

t.test('at every moment one key signs and one or more wait, whoever acts when', async (t) => {
  fc.assert(
    fc.property(histories, moments, ({ history }, probes) =>
      probes.every(([share = 0]) => {
        const moment = Math.floor(share * history.end * 1.1)
        const ring = history.ringAt(moment)
        const current = ring.filter((key) => stateOf(key, at(moment)) === 'current')
        const lasting = ring.filter((key) => key.signUntil === null && key.signFrom !== null)
        const waiting = ring.filter((key) => key.signFrom === null)
        return current.length === 1 && lasting.length === 1 && waiting.length === 1
      }),
    ),
  )
  t.pass('never two, never none')
})

t.test('no key signs before it was published long enough', async (t) => {
  fc.assert(
    fc.property(histories, moments, ({ policy, history }, probes) =>
      probes.every(([share = 0]) =>
        history
          .ringAt(Math.floor(share * history.end))
          .every(
            ({ keyId, signFrom, publishedAt }) =>
              keyId === 'first' ||
              signFrom === null ||
              Number(signFrom) - Number(publishedAt) >= knownAfter(policy) * 1000,
          ),
      ),
    ),
  )
  t.pass()
})

t.test('whatever a node signs, every verifier can verify until it expires', async (t) => {
  fc.assert(
    fc.property(histories, moments, ({ policy, history }, probes) =>
      probes.every(([when = 0, signLag = 0, life = 0, cache = 0, publishLag = 0, offset = 0]) => {
        // Near a changeover, where something can go wrong.
        const near = history.changeover(when) + (offset - 0.5) * policy.nodeReloadSeconds
        const signedAt = Math.max(0, near)
        const signer = history.signerAt(signedAt, signLag * policy.nodeReloadSeconds)
        const verifiedAt = signedAt + life * policy.longestTokenLifetimeSeconds
        const age = cache * (policy.maxAgeSeconds + policy.staleWhileRevalidateSeconds)
        const fetchedAt = Math.max(0, verifiedAt - age)
        const known = history.publishedAt(fetchedAt, publishLag * policy.nodeReloadSeconds)
        return signer !== undefined && known.includes(signer.keyId)
      }),
    ),
    { numRuns: 500 },
  )
  t.pass('with caches, tokens and late nodes of every age that the policy allows')
})

t.test('a node that reads late signs with the same key as all others', async (t) => {
  fc.assert(
    fc.property(histories, moments, ({ policy, history }, probes) =>
      probes.every(([when = 0, lag = 0, offset = 0]) => {
        const moment = history.changeover(when) + offset * policy.nodeReloadSeconds
        const own = history.signerAt(moment, lag * policy.nodeReloadSeconds)
        return own?.keyId === history.signerAt(moment, 0)?.keyId
      }),
    ),
    { numRuns: 500 },
  )
  t.pass('so a retired key signs nowhere')
})

t.test(
  'where the schedule runs, keys follow each other at the time that was announced',
  async (t) => {
    const ticks = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 300, maxLength: 400 })
    const fast = policies.map((policy) => ({ ...policy, minimumPublicationSeconds: 0 }))
    fc.assert(
      fc.property(fast, fc.integer({ min: 1, max: 2000 }), ticks, (policy, rotation, waits) => {
        const schedule = scheduleOf(policy, rotation)
        const run = waits.map((wait): Step => ({ wait, act: 'schedule' }))
        const history = simulate(policy, schedule, run)
        let elapsed = 0
        return waits.every((wait) => {
          elapsed += wait
          const ring = history.ringAt(elapsed)
          const expected = nextRotationAt(ring, 'ES256', schedule)
          const announced = Number(expected) + (60 - leadSeconds(policy)) * 1000
          return expected === undefined || announced >= Number(at(elapsed))
        })
      }),
    )
    t.pass('at most one run of the job later')
  },
)

/** Times of a MAC key that was not put off. */
const used = (useFrom: number) => ({
  publishedAt: addSeconds(at(useFrom), -objectionSeconds(defaultKeyTiming)),
  useFrom: at(useFrom),
})

t.test('without a schedule nothing rotates by itself, and no time is announced', async (t) => {
  fc.assert(
    fc.property(policies, seconds(10 ** 9), (policy, elapsed) => {
      const schedule = scheduleOf(policy, 0)
      const ring = simulate(policy, schedule, []).ringAt(0)
      return (
        planScheduled(ring, at(elapsed), policy, schedule).length === 0 &&
        nextRotationAt(ring, 'ES256', schedule) === undefined
      )
    }),
  )
  const key = { number: 1, sealedKey: Buffer.of(), dropAfter: null, ...used(0) }
  t.equal(isMacKeyDue([key], at(10 ** 9), { rotationSeconds: 0, timing: defaultKeyTiming }), false)
})

t.test('a MAC key is due when the newest has been used for the time of the schedule', async (t) => {
  const schedule = { rotationSeconds: 100, timing: defaultKeyTiming }
  const key = (number: number, useFrom: number) => ({
    ...{ number, sealedKey: Buffer.of(), dropAfter: null, ...used(useFrom) },
  })
  const due = (keys: ReturnType<typeof key>[], now: number) => isMacKeyDue(keys, at(now), schedule)
  t.strictSame(
    [due([key(1, 0)], 99), due([key(1, 0)], 100), due([key(1, 50), key(255, 0)], 149)],
    [false, true, false],
  )
  t.equal(due([], 1000), false, 'the first one is made by the start')
})

t.test('a MAC key that waits is put off when it is used later than was planned', async (t) => {
  const key = { number: 2, sealedKey: Buffer.of(), dropAfter: null, ...used(1000) }
  const putOff = { ...key, useFrom: at(1001) }
  const isPutOff = (keys: (typeof key)[], now: number) =>
    isMacKeyPutOff(keys, at(now), defaultKeyTiming)
  const before = { ...key, number: 1, ...used(0) }
  t.strictSame(
    [isPutOff([before, key], 999), isPutOff([before, putOff], 1000), isPutOff([putOff], 1001)],
    [false, true, false],
    'until it is used',
  )
  t.equal(isPutOff([], 0), false)
})

t.test('the ring of another algorithm changes nothing', async (t) => {
  const policy = { ...defaultKeyTiming, longestTokenLifetimeSeconds: 900 }
  const schedule = scheduleOf(policy, 100)
  const ring = simulate(policy, schedule, []).ringAt(0)
  const now = at(200_000)
  t.equal(planScheduled([], now, policy, schedule).length, 0)
  t.strictSame(
    planScheduled(ring, now, policy, schedule).map(({ algorithm }) => algorithm),
    ['ES256'],
  )
  t.equal(findCurrent(ring, 'EdDSA', now), undefined)
})
