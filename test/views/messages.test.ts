import t from 'tap'
import { de } from '../../src/views/messages/de.ts'
import { en } from '../../src/views/messages/en.ts'
import { isMessageKey, languages, say, sayDate } from '../../src/views/messages.ts'

const placesOf = (text: string) => [...text.matchAll(/\{[a-z]+\}/g)].map(([place]) => place).sort()

t.test('every language says the same things, with the same values in them', async (t) => {
  t.strictSame(languages, ['en', 'de'])
  t.strictSame(Object.keys(de).sort(), Object.keys(en).sort())
  for (const [key, text] of Object.entries(en)) {
    t.strictSame(placesOf(de[key as keyof typeof en]), placesOf(text), key)
  }
})

t.test('values are put into their places, whatever they hold', async (t) => {
  t.equal(say('en', 'sign-in.for', { client: '$& {client}' }), 'to continue to $& {client}')
  t.equal(say('de', 'sign-in.for', { client: 'Notes' }), 'um bei Notes weiterzumachen')
  t.ok(isMessageKey('error.other'))
  t.notOk(isMessageKey('constructor'))
})

t.test('dates are written as the language writes them', async (t) => {
  const date = new Date('2026-03-01T23:30:00Z')
  t.equal(sayDate('en', date), 'March 1, 2026')
  t.equal(sayDate('de', date), '1. März 2026')
})
