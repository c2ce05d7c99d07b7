import t from 'tap'
import { isCommonPassword } from '../../src/secrets/common-passwords.ts'

for (const password of [
  'password',
  '12345678',
  'qwertyuiop',
  'password123',
  'iloveyou',
  'trustno1',
]) {
  t.test(`${password} is common, in whatever case`, async (t) => {
    t.equal(isCommonPassword(password, []), true)
    t.equal(isCommonPassword(password.toUpperCase(), []), true)
  })
}

t.test('one character over and over is common, spaces and emoji too', async (t) => {
  for (const character of [' ', 'x', '\u00a0', '馬', '🦊']) {
    t.equal(isCommonPassword(character.repeat(40), []), true, character)
  }
  t.equal(isCommonPassword('XxXxXxXxX', []), true, 'in whatever case')
  t.equal(isCommonPassword(`${' '.repeat(12)}.`, []), false)
})

t.test('a password that nobody else has is not common', async (t) => {
  for (const password of ['correct horse battery staple', 'xK7#vq2!mP', 'гора медленно поёт']) {
    t.equal(isCommonPassword(password, []), false, password)
  }
})

t.test(
  'a password that holds a common one is not common: only the whole is compared',
  async (t) => {
    t.equal(isCommonPassword('password of the seven seas', []), false)
  },
)

t.test('one of the personal words, or the name of the service, is refused', async (t) => {
  const personal = ['alice.liddell@example.com', 'alice.liddell', 'Wonderland']
  for (const password of [...personal, 'ALICE.liddell', 'wonderland', 'Tessera']) {
    t.equal(isCommonPassword(password, personal), true, password)
  }
  t.equal(isCommonPassword('alice.liddell', []), false, 'and only for the person it belongs to')
  t.equal(isCommonPassword('wonderlandish', personal), false)
})
