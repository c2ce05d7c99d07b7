import fc from 'fast-check'
import { test } from 'tap'
import { createOutageTracker, type Outage, outageWithin } from '../../src/tokens/outage.ts'

const at = (seconds: number): Date => new Date(Date.UTC(2026, 10, 20) + seconds * 1000)
const outage = (start: number, end: number): Outage => ({ startedAt: at(start), endedAt: at(end) })

const cases: readonly [rule: string, expectedSeconds: number, Outage[]][] = [
  ['no outage covers nothing', 0, []],
  ['an outage inside counts whole', 20, [outage(10, 30)]],
  ['what lies before or after does not count', 15, [outage(-10, 10), outage(95, 200)]],
  ['an outage outside does not count', 0, [outage(-10, -5), outage(100, 200)]],
  [
    'nodes that saw the same outage count it once',
    25,
    [outage(10, 30), outage(12, 35), outage(11, 29)],
  ],
  ['an outage around everything counts as long as the span', 100, [outage(-50, 500)]],
]
for (const [rule, expected, outages] of cases) {
  test(`outage: ${rule}`, async (t) => {
    t.equal(outageWithin(at(0), at(100), outages), expected * 1000)
  })
}

test('outage: the covered time equals the seconds that lie in any outage', async () => {
  const span = fc.tuple(fc.integer({ min: -50, max: 150 }), fc.integer({ min: 1, max: 80 }))
  fc.assert(
    fc.property(fc.array(span, { maxLength: 6 }), (spans) => {
      const outages = spans.map(([start, length]) => outage(start, start + length))
      const covered = Array.from({ length: 100 }, (_, second) => second).filter((second) =>
        spans.some(([start, length]) => second >= start && second < start + length),
      )
      return outageWithin(at(0), at(100), outages) === covered.length * 1000
    }),
  )
})

/** A tracker at second 0 of a clock that the test moves, and what it has recorded. */
const makeTracker = () => {
  const recorded: Outage[] = []
  const state = { second: 0, broken: false }
  const record = async (found: Outage): Promise<void> => {
    if (state.broken) throw new Error('down')
    recorded.push(found)
  }
  const tracker = createOutageTracker({ record }, () => state.second * 1000)
  return {
    recorded,
    state,
    tracker,
    hear: (second: number) => {
      state.second = second
      return tracker.heard(at(second))
    },
  }
}

test('outage: a silence over three seconds is recorded once, when the database is heard again', async (t) => {
  const { recorded, state, tracker, hear } = makeTracker()
  for (const second of [0, 0.5, 3.5]) await hear(second)
  t.strictSame(recorded, [], 'three seconds are within tolerance')
  state.second = 64
  t.strictSame(tracker.unrecorded(at(64)), [outage(3.5, 64)], 'known before it is recorded')
  await hear(64)
  await hear(64.5)
  t.strictSame(recorded, [outage(3.5, 64)])
  t.strictSame(tracker.unrecorded(at(65)), [])
})

test('outage: an outage that could not be recorded is recorded at the next hearing', async (t) => {
  const { recorded, state, hear } = makeTracker()
  await hear(0)
  state.broken = true
  await t.rejects(hear(60), { message: 'down' })
  state.broken = false
  await hear(61)
  t.strictSame(recorded, [outage(0, 61)])
})

test('outage: a step of the database clock is no silence', async (t) => {
  const { recorded, tracker } = makeTracker()
  await tracker.heard(at(0))
  await tracker.heard(at(3600))
  t.strictSame(recorded, [])
})
