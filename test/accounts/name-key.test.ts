import fc from 'fast-check'
import { test } from 'tap'
import { emailKey, usernameKey } from '../../src/accounts/name-key.ts'

test('names that differ in case, width or surrounding space have one key', async (t) => {
  for (const spelling of [
    'JO@Example.com',
    ' jo@example.com ',
    'ｊｏ@example.com',
    'Jo@EXAMPLE.COM',
  ]) {
    t.equal(emailKey(spelling), 'jo@example.com')
  }
  t.equal(emailKey('ÄÖÜ@example.com'), emailKey('äöü@example.com'))
  t.equal(emailKey('e\u0301@example.com'), emailKey('\u00e9@example.com'), 'composed or not')
  for (const spelling of ['ΓΙΩΡΓΟΣ.Π@example.gr', 'γιωργος.π@example.gr']) {
    t.equal(emailKey(spelling), emailKey('γιωργοσ.π@example.gr'), 'Σ has two small forms')
  }
  t.equal(usernameKey(' Jo_Doe '), 'jo_doe')
})

test('other names have other keys', async (t) => {
  t.not(emailKey('jo@example.com'), emailKey('jo@example.org'))
  t.not(emailKey('jo.doe@example.com'), emailKey('jodoe@example.com'))
  t.not(usernameKey('straße'), usernameKey('strasse'))
})

test('the longest name that may be registered has one key, composed or not', async (t) => {
  const email = `${'\u1e69'.repeat(242)}@example.com`
  t.equal(emailKey(email.normalize('NFD').toUpperCase()), emailKey(email))
})

test('every character has the key of its other case, where each is the other of the other', async (t) => {
  const differing = Array.from({ length: 0x11_0000 }, (_, code) => String.fromCodePoint(code))
    .filter((character) => character.isWellFormed())
    .filter((character) => {
      const other = character.toUpperCase()
      return other.toLowerCase() === character && emailKey(other) !== emailKey(character)
    })
  t.strictSame(differing, [])
})

test('the key of a key is the key', async () => {
  fc.assert(
    fc.property(fc.emailAddress(), (email) => emailKey(emailKey(email)) === emailKey(email)),
  )
})
