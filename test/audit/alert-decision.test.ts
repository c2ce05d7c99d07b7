import fc from 'fast-check'
import { test } from 'tap'
import { decideAlerts, mostAlertsPerRule } from '../../src/audit/alert-decision.ts'
import { type AlertRule, alertRules } from '../../src/audit/alert-rules.ts'
import { catalogue } from '../../src/audit/catalogue.ts'

const rule = (rest: Partial<AlertRule> = {}): AlertRule => ({
  name: 'burst',
  types: ['sign_in.failed'],
  key: 'subject',
  threshold: 3,
  withinSeconds: 60,
  quietSeconds: 100,
  ...rest,
})
const now = new Date(1_000_000_000)
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000)
const seen = (key: string, count: number, name = 'burst') => ({ rule: name, key, count })

test('alert decision: a rule speaks from its threshold on', async (t) => {
  t.strictSame(decideAlerts([rule()], [seen('a', 2)], [], now), [])
  t.strictSame(decideAlerts([rule()], [seen('a', 3)], [], now), [seen('a', 3)])
})

test('alert decision: a key is quiet for its time, each for itself', async (t) => {
  const decide = (seconds: number) =>
    decideAlerts(
      [rule()],
      [seen('a', 3), seen('b', 3)],
      [{ rule: 'burst', key: 'a', raisedAt: ago(seconds) }],
      now,
    ).map(({ key }) => key)
  t.strictSame(decide(99), ['b'])
  t.strictSame(decide(100), ['a', 'b'])
})

const names = fc.constantFrom('one', 'two')
const keys = fc.integer({ min: 0, max: 60 }).map(String)
const rules = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 100 }))
  .map(([threshold, quietSeconds]) =>
    ['one', 'two'].map((name) => rule({ name, threshold, quietSeconds })),
  )
const sightings = fc.uniqueArray(
  fc.record({ rule: names, key: keys, count: fc.integer({ min: 0, max: 10 }) }),
  { selector: (sighting) => `${sighting.rule} ${sighting.key}`, maxLength: 120 },
)
const earlier = fc.array(
  fc.record({ rule: names, key: keys, raisedAt: fc.integer({ min: 0, max: 200 }).map(ago) }),
  { maxLength: 40 },
)

test('alert decision: over any sightings no key is told twice, no rule too often, nothing below its threshold, and what is most frequent first', async () => {
  fc.assert(
    fc.property(rules, sightings, earlier, (given, seenNow, before) => {
      const decided = decideAlerts(given, seenNow, before, now)
      for (const one of given) {
        const loud = before.filter(
          ({ rule: name, raisedAt }) => name === one.name && raisedAt > ago(one.quietSeconds),
        )
        const raised = decided.filter(({ rule: name }) => name === one.name)
        const keysOf = [...raised, ...loud].map(({ key }) => key)
        const due = seenNow.filter(
          ({ rule: name, key, count }) =>
            name === one.name && count >= one.threshold && !loud.some((alert) => alert.key === key),
        )
        const room = Math.max(0, mostAlertsPerRule - loud.length)
        const held = due.filter((sighting) => !raised.includes(sighting))
        const least = Math.min(...raised.map(({ count }) => count))
        if (raised.length !== Math.min(due.length, room)) return false
        if (raised.some((sighting) => !due.includes(sighting))) return false
        if (new Set(keysOf.slice(0, raised.length)).size !== raised.length) return false
        if (raised.length > 0 && held.some(({ count }) => count > least)) return false
      }
      return decided.every((sighting) => seenNow.includes(sighting))
    }),
    { numRuns: 500 },
  )
})

test('alert decision: what it decides does not depend on the order in which things were seen', async (t) => {
  fc.assert(
    fc.property(rules, sightings, earlier, (given, seenNow, before) => {
      const one = decideAlerts(given, seenNow, before, now)
      const other = decideAlerts(given, seenNow.toReversed(), before.toReversed(), now)
      t.strictSame(one, other)
    }),
    { numRuns: 100 },
  )
})

test('alert rules: each has its own name, counts events that exist, and looks back far enough', async (t) => {
  t.equal(new Set(alertRules.map(({ name }) => name)).size, alertRules.length)
  for (const { name, types, threshold, withinSeconds, quietSeconds } of alertRules) {
    t.ok(types.length > 0 && types.every((type) => Object.hasOwn(catalogue, type)), name)
    t.notOk(types.includes('alert.raised'), 'no alert raises another')
    t.ok(threshold >= 1 && withinSeconds > 0 && quietSeconds >= 60, name)
  }
})
