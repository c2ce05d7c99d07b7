import fc from 'fast-check'
import t from 'tap'
import { digestUserCode, randomUserCode, readUserCode } from '../../src/secrets/user-code.ts'

t.test('codes have eight letters without vowels, in two groups (RFC 8628 §6.1)', async (t) => {
  const codes = Array.from({ length: 200 }, randomUserCode)
  for (const code of codes) t.match(code, /^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$/)
  t.equal(new Set(codes).size, codes.length)
})

t.test('a code is read in any case, with any punctuation or none', async (t) => {
  for (const typed of [
    'WDJB-MJHT',
    'wdjbmjht',
    ' w d j b – m j h t ',
    'Wdjb.Mjht!',
    '(WDJB)/MJHT',
  ]) {
    t.equal(readUserCode(typed), 'WDJB-MJHT', typed)
  }
})

t.test('what has another letter, a digit or another length is no code', async (t) => {
  for (const typed of [
    ...['', 'WDJB-MJH', 'WDJB-MJHTB', 'WDJA-MJHT', 'WDJ1-MJHT', 'WDJB-MJHÄ', 'ＷDJB-MJHT'],
    `${' '.repeat(60)}WDJB-MJHT`,
  ]) {
    t.equal(readUserCode(typed), undefined, typed)
  }
})

t.test('whatever is typed is a code as it is shown, or none', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (typed) => {
      const code = readUserCode(typed)
      return code === undefined || readUserCode(code) === code
    }),
  )
})

t.test('the same code has the same digest', async (t) => {
  t.same(digestUserCode('WDJB-MJHT'), digestUserCode('WDJB-MJHT'))
  t.notSame(digestUserCode('WDJB-MJHT'), digestUserCode('WDJB-MJHV'))
})
