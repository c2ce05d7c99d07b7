import fc from 'fast-check'
import { test } from 'tap'
import {
  type FamilyState,
  judge,
  type Presented,
  type RefreshPolicy,
} from '../../src/tokens/refresh-family.ts'

const rotatedAt = new Date('2026-11-20T12:00:00.000Z')
const after = (seconds: number): Date => new Date(rotatedAt.getTime() + seconds * 1000)
const digest = (letter: string): Buffer => Buffer.alloc(32, letter)
const here = digest('h')

const makeState = (state: Partial<FamilyState> = {}): FamilyState => ({
  clientId: 'app',
  scope: ['account', 'read'],
  audience: ['https://a.example', 'https://b.example'],
  confirmation: null,
  revoked: false,
  subjectActive: true,
  sessionLive: true,
  expiresAt: after(3600),
  idleUntil: after(1800),
  generation: 5,
  digest: digest('5'),
  rotatedAt,
  rotatedFrom: here,
  outageMs: 0,
  ...state,
})

const current: Presented = {
  clientId: 'app',
  confirmation: null,
  generation: 5,
  digest: digest('5'),
  successorDigest: digest('6'),
  from: here,
  scope: undefined,
  audience: undefined,
}
/** The token before the current one, whose derived successor is the current one. */
const parent: Presented = {
  ...current,
  generation: 4,
  digest: digest('4'),
  successorDigest: digest('5'),
}
const policy: RefreshPolicy = { graceSeconds: 30, retryElsewhere: 'allow', rotation: 'rotate' }

const verdicts: readonly [
  rule: string,
  expected: object,
  FamilyState | undefined,
  Presented,
  RefreshPolicy?,
  Date?,
][] = [
  ['no such family is unknown', { outcome: 'unknown' }, undefined, current],
  [
    'another client is told apart first',
    { outcome: 'wrong_client' },
    makeState({ revoked: true }),
    { ...current, clientId: 'thief' },
  ],
  [
    'another key is told apart before the state',
    { outcome: 'wrong_confirmation' },
    makeState({ confirmation: 'k1', revoked: true }),
    { ...current, confirmation: 'k2' },
  ],
  [
    'no key where one is bound',
    { outcome: 'wrong_confirmation' },
    makeState({ confirmation: 'k1' }),
    current,
  ],
  ['a revoked family', { outcome: 'revoked' }, makeState({ revoked: true }), current],
  [
    'a revoked family refuses its parent token too',
    { outcome: 'revoked' },
    makeState({ revoked: true }),
    parent,
  ],
  ['an ended session', { outcome: 'revoked' }, makeState({ sessionLive: false }), current],
  [
    'a disabled user',
    { outcome: 'subject_disabled' },
    makeState({ subjectActive: false }),
    current,
  ],
  [
    'absolute expiry, at its second',
    { outcome: 'expired_absolute' },
    makeState({ expiresAt: after(10) }),
    current,
    policy,
    after(10),
  ],
  [
    'a moment before absolute expiry',
    { outcome: 'again' },
    makeState({ expiresAt: after(10) }),
    current,
    policy,
    after(9.999),
  ],
  [
    'idle expiry, at its second',
    { outcome: 'expired_idle' },
    makeState({ idleUntil: after(10) }),
    current,
    policy,
    after(10),
  ],
  [
    'a moment before idle expiry',
    { outcome: 'again' },
    makeState({ idleUntil: after(10) }),
    current,
    policy,
    after(9.999),
  ],
  ['current and live: the obstacle vanished', { outcome: 'again' }, makeState(), current],
  [
    'a scope that the family has',
    { outcome: 'again' },
    makeState(),
    { ...current, scope: ['read'] },
  ],
  [
    'a scope that the family has not',
    { outcome: 'invalid_scope' },
    makeState(),
    { ...current, scope: ['write'] },
  ],
  [
    'a retry with a scope that the family has not',
    { outcome: 'invalid_scope' },
    makeState(),
    { ...parent, scope: ['write'] },
  ],
  [
    'an audience that the family has',
    { outcome: 'again' },
    makeState(),
    { ...current, audience: ['https://b.example'] },
  ],
  [
    'an audience that the family has not',
    { outcome: 'invalid_target' },
    makeState(),
    { ...current, audience: ['https://a.example', 'https://c.example'] },
  ],
  [
    'a reuse is punished whatever scope it asks',
    { outcome: 'reused' },
    makeState(),
    { ...parent, generation: 3, scope: ['write'] },
  ],
  [
    'a generation that is still to come',
    { outcome: 'diverged' },
    makeState(),
    { ...current, generation: 6 },
  ],
  [
    'the same generation with another secret',
    { outcome: 'diverged' },
    makeState(),
    { ...current, digest: digest('x') },
  ],
  [
    'the parent within the window',
    { outcome: 'retried', elsewhere: false },
    makeState(),
    parent,
    policy,
    after(29),
  ],
  [
    'the parent at the last moment of the window',
    { outcome: 'retried', elsewhere: false },
    makeState(),
    parent,
    policy,
    after(30),
  ],
  [
    'the parent after the window',
    { outcome: 'reused' },
    makeState(),
    parent,
    policy,
    after(30.001),
  ],
  [
    'an outage does not count towards the window',
    { outcome: 'retried', elsewhere: false },
    makeState({ outageMs: 60_000 }),
    parent,
    policy,
    after(90),
  ],
  [
    'the window ends although there was an outage',
    { outcome: 'reused' },
    makeState({ outageMs: 60_000 }),
    parent,
    policy,
    after(90.001),
  ],
  [
    'the grandparent within the window',
    { outcome: 'reused' },
    makeState(),
    { ...parent, generation: 3 },
    policy,
    after(1),
  ],
  [
    'a parent of another branch',
    { outcome: 'reused' },
    makeState(),
    { ...parent, successorDigest: digest('y') },
    policy,
    after(1),
  ],
  [
    'strict mode forgives nothing',
    { outcome: 'reused' },
    makeState(),
    parent,
    { ...policy, graceSeconds: 0 },
    rotatedAt,
  ],
  [
    'a retry from elsewhere is said to be one',
    { outcome: 'retried', elsewhere: true },
    makeState(),
    { ...parent, from: digest('t') },
    policy,
    after(1),
  ],
  [
    'a retry from elsewhere is refused where the client wants it',
    { outcome: 'retry_refused' },
    makeState(),
    { ...parent, from: digest('t') },
    { ...policy, retryElsewhere: 'refuse' },
    after(1),
  ],
  [
    'a key-bound family takes a retry while the successor is unused',
    { outcome: 'retried', elsewhere: false },
    makeState({ confirmation: 'k1' }),
    { ...parent, confirmation: 'k1' },
    policy,
    after(1700),
  ],
  [
    'a client that keeps its token has no reuse verdict',
    { outcome: 'unknown' },
    makeState(),
    parent,
    { ...policy, rotation: 'static' },
    after(60),
  ],
]

for (const [rule, expected, state, presented, rules = policy, now = after(1)] of verdicts) {
  test(`judge: ${rule}`, async (t) => {
    t.strictSame(judge(state, presented, rules, now), expected)
  })
}

const anyDigest = fc.constantFrom('3', '4', '5', '6', 'x').map(digest)
const anyState = fc.record({
  clientId: fc.constantFrom('app', 'other'),
  scope: fc.constant(['account']),
  audience: fc.constant(['https://a.example']),
  confirmation: fc.constantFrom(null, 'k1', 'k2'),
  revoked: fc.boolean(),
  subjectActive: fc.boolean(),
  sessionLive: fc.boolean(),
  expiresAt: fc.integer({ min: -100, max: 100 }).map(after),
  idleUntil: fc.integer({ min: -100, max: 100 }).map(after),
  generation: fc.integer({ min: 1, max: 7 }),
  digest: anyDigest,
  rotatedAt: fc.constantFrom(null, rotatedAt),
  rotatedFrom: fc.constantFrom(null, here),
  outageMs: fc.integer({ min: 0, max: 100_000 }),
})
const anyPresented = fc.record({
  clientId: fc.constantFrom('app', 'other'),
  confirmation: fc.constantFrom(null, 'k1', 'k2'),
  generation: fc.integer({ min: 1, max: 7 }),
  digest: anyDigest,
  successorDigest: fc.option(anyDigest),
  from: fc.constantFrom(here, digest('t')),
  scope: fc.constantFrom(undefined, ['account'], ['admin']),
  audience: fc.constantFrom(undefined, ['https://a.example'], ['https://b.example']),
})
const anyPolicy = fc.record({
  graceSeconds: fc.constantFrom(0, 30, 600),
  retryElsewhere: fc.constantFrom('allow' as const, 'refuse' as const),
  rotation: fc.constantFrom('rotate' as const, 'static' as const),
})
const anyNow = fc.integer({ min: -50, max: 700 }).map(after)

test('judge is total, and lets nothing through that is revoked, expired or foreign', async () => {
  fc.assert(
    fc.property(
      fc.option(anyState, { nil: undefined }),
      anyPresented,
      anyPolicy,
      anyNow,
      (state, presented, rules, now) => {
        const { outcome } = judge(state, presented, rules, now)
        const accepted = outcome === 'again' || outcome === 'retried'
        return (
          !accepted ||
          (state !== undefined &&
            !state.revoked &&
            state.sessionLive &&
            state.subjectActive &&
            state.expiresAt > now &&
            state.idleUntil > now &&
            state.clientId === presented.clientId &&
            (state.confirmation === null || state.confirmation === presented.confirmation))
        )
      },
    ),
    { numRuns: 5000 },
  )
})

test('judge never forgives a token older than the parent, nor any in strict mode', async () => {
  fc.assert(
    fc.property(anyState, anyPresented, anyPolicy, anyNow, (state, presented, rules, now) => {
      const { outcome } = judge(state, presented, rules, now)
      const tooOld = presented.generation < state.generation - 1
      return outcome !== 'retried' || (!tooOld && rules.graceSeconds > 0)
    }),
    { numRuns: 5000 },
  )
})
