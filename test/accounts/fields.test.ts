import fc from 'fast-check'
import { test } from 'tap'
import { checkProfile, refuseInvalid, trimProfile } from '../../src/accounts/fields.ts'
import { Problem } from '../../src/oauth/problem.ts'

const isEmail = (email: string) => checkProfile({ email }).length === 0
const isUsername = (username: string) => checkProfile({ username }).length === 0

test('email addresses that may be registered', async (t) => {
  for (const email of [
    'jo@example.com',
    'Jo.Doe+news@mail.example.co.uk',
    'jo@localhost',
    "o'neil@example.com",
    'jörg@exämple.de',
    '用户@例え.jp',
    `${'a'.repeat(242)}@example.com`,
  ]) {
    t.ok(isEmail(email), email)
  }
})

for (const [reason, email] of [
  ['nothing', ''],
  ['no @', 'jo.example.com'],
  ['two @', 'jo@doe@example.com'],
  ['a second @ in a compatibility form', 'jo＠doe@example.com'],
  ['nothing before the @', '@example.com'],
  ['nothing after the @', 'jo@'],
  ['a space inside', 'jo doe@example.com'],
  ['a no-break space', 'jo\u00a0doe@example.com'],
  ['a compatibility character that folds to a space', 'jo\u00a8@example.com'],
  ['a line break', 'jo@example.com\nBcc: all@example.com'],
  ['a control character', 'jo\u0007@example.com'],
  ['an invisible format character', 'jo\u200b@example.com'],
  ['a right-to-left override', '\u202ejo@example.com'],
  ['255 characters', `${'a'.repeat(243)}@example.com`],
] as const) {
  test(`no email address: ${reason}`, async (t) => {
    t.strictSame(checkProfile({ email }), [
      { field: 'email', message: 'must be an email address of at most 254 characters' },
    ])
  })
}

test('usernames are 3 to 64 letters, digits, dots, hyphens and underscores', async (t) => {
  for (const good of ['abc', 'Jo.Doe', 'jo_doe-2', 'a'.repeat(64)]) t.ok(isUsername(good), good)
  for (const bad of ['', 'ab', 'a'.repeat(65), 'jo@doe', 'jo doe', 'jörg', 'jo\n', 'ｊoe']) {
    t.strictSame(checkProfile({ username: bad }), [
      {
        field: 'username',
        message: 'must be 3 to 64 letters, digits, dots, hyphens or underscores',
      },
    ])
  }
})

test('nobody is called by the id of somebody else', async (t) => {
  const id = crypto.randomUUID()
  for (const username of [id, id.toUpperCase()]) {
    t.strictSame(checkProfile({ username }), [
      { field: 'username', message: 'must not have the form of an id' },
    ])
  }
  t.ok(isUsername(id.replaceAll('-', '')))
})

test('names are 1 to 200 characters of any script, without control characters', async (t) => {
  for (const good of ['J', '名', '🦊'.repeat(200), "Jo O'Neil-Doe", 'יעל\u200f (Jo)']) {
    t.strictSame(checkProfile({ name: good, givenName: good, familyName: good }), [])
  }
  const message = 'must be 1 to 200 characters'
  const turned = ['\u202enimda', 'a\u2066b', 'a\u2028b']
  for (const bad of ['', 'x'.repeat(201), 'a\tb', 'a\u0000b', ...turned]) {
    t.strictSame(checkProfile({ name: bad, givenName: bad, familyName: bad }), [
      { field: 'name', message },
      { field: 'given_name', message },
      { field: 'family_name', message },
    ])
  }
})

test('what is not stated, and what is cleared, is not wrong', async (t) => {
  t.strictSame(checkProfile({}), [])
  t.strictSame(checkProfile({ username: null, name: null, givenName: null, familyName: null }), [])
})

test('white space around texts does not count', async (t) => {
  t.strictSame(
    trimProfile({ email: ' jo@example.com\n', username: '\tjo', name: ' ', givenName: null }),
    { email: 'jo@example.com', username: 'jo', name: '', givenName: null },
  )
})

test('a trimmed profile states what it stated before, and trimming it again changes nothing', async () => {
  const text = fc.option(fc.string({ unit: 'grapheme' }), { nil: null })
  const profiles = fc.record(
    { username: text, name: text, givenName: text, familyName: text },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(profiles, (profile) => {
      const trimmed = trimProfile(profile)
      const sameMembers = Object.keys(trimmed).sort().join() === Object.keys(profile).sort().join()
      return sameMembers && JSON.stringify(trimProfile(trimmed)) === JSON.stringify(trimmed)
    }),
  )
})

test('everything that is wrong is refused at once', async (t) => {
  t.doesNotThrow(() => refuseInvalid([]))
  const fields = [
    { field: 'email', message: 'is wrong' },
    { field: 'name', message: 'is wrong too' },
  ]
  t.throws(() => refuseInvalid(fields), new Problem('validation', { fields }))
})
