import fc from 'fast-check'
import t from 'tap'
import { compareSchema, type SchemaState } from '../../src/stores/postgres/schema-state.ts'

const a = '20260101T0000_a'
const b = '20260101T0100_b'
const c = '20270101T0000_c'

const table: [rule: string, applied: string[], known: string[], ahead: number, SchemaState][] = [
  ['an empty database is behind', [], [a, b], -3, 'behind'],
  ['a database that lacks the latest migration is behind', [a], [a, b], -1, 'behind'],
  ['a migration missing within the same release is behind too', [a], [a, b], 0, 'behind'],
  ['the same migrations are current', [a, b], [a, b], 0, 'current'],
  ['one release ahead is newer', [a, b, c], [a, b], 1, 'newer'],
  ['two releases ahead is too new', [a, b, c], [a, b], 2, 'too_new'],
  ['two releases ahead is too new, even if something is missing', [c], [a, b], 2, 'too_new'],
  ['one release ahead that lacks what this code needs is foreign', [a, c], [a, b], 1, 'foreign'],
  ['an unknown migration in the same release is foreign', [a, b, c], [a, b], 0, 'foreign'],
  ['an unknown migration in an older release is foreign', [c], [a, b], -1, 'foreign'],
]
for (const [rule, applied, known, ahead, state] of table) {
  t.test(rule, async (t) => {
    t.equal(compareSchema({ applied, known, release: 3 + ahead }, 3), state)
  })
}

t.test('the order of the names does not matter', async () => {
  const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'))
  fc.assert(
    fc.property(names, names, fc.integer({ min: 0, max: 6 }), (applied, known, release) => {
      const facts = { applied, known, release }
      const turned = { applied: applied.toReversed(), known: known.toReversed(), release }
      return compareSchema(facts, 3) === compareSchema(turned, 3)
    }),
  )
})

t.test('a schema is migrated only when nothing in it is unknown and it is not ahead', async () => {
  const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'))
  fc.assert(
    fc.property(names, names, fc.integer({ min: 0, max: 6 }), (applied, known, release) => {
      const state = compareSchema({ applied, known, release }, 3)
      return state !== 'behind' || (release <= 3 && applied.every((name) => known.includes(name)))
    }),
  )
})
