import { test } from 'tap'
import { checkPasswordLength, refuseCommonPassword } from '../../src/accounts/password-policy.ts'
import { Problem } from '../../src/oauth/problem.ts'

const message = 'must be 8 to 256 characters'

test('passwords are 8 to 256 characters, counted as people do', async (t) => {
  for (const good of [
    '12345678',
    'x'.repeat(256),
    '🦊'.repeat(8),
    '🦊'.repeat(256),
    ' '.repeat(8),
  ]) {
    t.strictSame(checkPasswordLength(good, 'password'), [])
  }
  for (const bad of ['', '1234567', 'x'.repeat(257), '🦊'.repeat(7), '🦊'.repeat(257)]) {
    t.strictSame(checkPasswordLength(bad, 'new_password'), [{ field: 'new_password', message }])
  }
})

test('there are no composition rules (ASVS 5.0 6.2.5)', async (t) => {
  for (const password of ['gurgling turnip rain', '馬馬馬馬虎虎虎虎', '8264059173524']) {
    t.strictSame(checkPasswordLength(password, 'password'), [])
    t.doesNotThrow(() => refuseCommonPassword(password, {}))
  }
})

const jo = {
  email: 'Johanna.Doe@example.com',
  username: 'jdoe1984',
  name: 'Johanna Doe',
  givenName: 'Johanna-Marie',
  familyName: 'Doe-Miller',
}

for (const [reason, password] of [
  ['a common one', 'password123'],
  ['a common one in capitals', 'PASSWORD123'],
  ['nothing but spaces', ' '.repeat(8)],
  ['one character over and over', '🦊'.repeat(256)],
  ['the email address', 'johanna.doe@example.com'],
  ['the part before the @', 'JOHANNA.DOE'],
  ['the username', 'jdoe1984'],
  ['the name', 'johanna doe'],
  ['the given name', 'johanna-marie'],
  ['the family name', 'doe-miller'],
] as const) {
  test(`no password: ${reason} (ASVS 5.0 6.2.4, 6.2.11)`, async (t) => {
    t.throws(
      () => refuseCommonPassword(password, jo),
      new Problem('password_too_common', {
        detail:
          'This password is among the first that others would try: choose a longer or less usual one, and not your name',
      }),
    )
  })
}

test('an account without names refuses common passwords only', async (t) => {
  t.doesNotThrow(() => refuseCommonPassword('johanna doe', { email: 'x@example.com', name: null }))
})
