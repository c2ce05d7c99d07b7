import fc from 'fast-check'
import { test } from 'tap'
import { maskName } from '../../src/accounts/name-mask.ts'

test('a typed name is masked to the first characters of its parts', async (t) => {
  t.equal(maskName('jo.doe@example.com'), 'j***@e***')
  t.equal(maskName('  jo_doe '), 'j***')
  t.equal(maskName('🦊fox@den'), '🦊***@d***')
  t.equal(maskName(''), '***')
  t.equal(maskName('@'), '***@***')
})

test('whatever was typed, its mask is short, and text that a log can hold', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 1000 }), (typed) => {
      const masked = maskName(typed)
      return masked.length <= 11 && masked.isWellFormed()
    }),
  )
})
