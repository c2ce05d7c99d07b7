import fc from 'fast-check'
import { test } from 'tap'
import { decodeCursor, encodeCursor } from '../../src/audit/cursor.ts'

const moments = fc
  .tuple(
    fc.date({ min: new Date('2000-01-01'), max: new Date('2999-12-31'), noInvalidDate: true }),
    fc.nat(999),
  )
  .map(([date, micros]) => date.toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`))
// Of every version: what PostgreSQL takes for one.
const ids = fc.uuid()

test('audit cursor: every position comes back from its text', async (t) => {
  fc.assert(
    fc.property(moments, ids, (at, id) => {
      const cursor = encodeCursor({ at, id })
      t.match(cursor, /^[\w-]+$/)
      t.strictSame(decodeCursor(cursor), { at, id })
    }),
    { numRuns: 200 },
  )
})

test('audit cursor: other text is none', async (t) => {
  const id = '00000000-0000-4000-8000-000000000000'
  const bad = {
    nothing: '',
    'a time that no calendar has': `2026-13-01T00:00:00.000000Z ${id}`,
    'a day that the month has not': `2026-02-30T00:00:00.000000Z ${id}`,
    'a year that PostgreSQL has not': `0000-01-01T00:00:00.000000Z ${id}`,
    'a time to the millisecond': `2026-01-01T00:00:00.000Z ${id}`,
    'no id': '2026-01-01T00:00:00.000000Z ',
    'something behind it': `2026-01-01T00:00:00.000000Z ${id};`,
  }
  for (const [reason, text] of Object.entries(bad)) {
    t.equal(decodeCursor(Buffer.from(text).toString('base64url')), undefined, reason)
  }
  fc.assert(fc.property(fc.string(), (text) => decodeCursor(text) === undefined))
})
