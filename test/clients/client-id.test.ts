import { test } from 'tap'
import { isUuid } from '../../src/accounts/user.ts'
import { createClientId, isClientId } from '../../src/clients/client-id.ts'

test('a new id is readable, well-formed and never the form of a user id', async (t) => {
  const ids = Array.from({ length: 1000 }, () => createClientId('svc'))
  t.equal(new Set(ids).size, 1000)
  t.ok(ids.every((id) => /^svc_[2-9a-hjkmnp-z]{16}$/.test(id)))
  t.ok(ids.every((id) => isClientId(id) && !isUuid(id)))
  t.match(createClientId('app'), /^app_/)
})

test('every letter of an id is as likely as any other', async (t) => {
  const counts = new Map<string, number>()
  for (let i = 0; i < 2000; i += 1) {
    for (const letter of createClientId('svc').slice(4)) {
      counts.set(letter, (counts.get(letter) ?? 0) + 1)
    }
  }
  // 32 000 draws of 31 letters: 1032 expected, the standard deviation is 32.
  t.equal(counts.size, 31)
  t.ok([...counts.values()].every((count) => count > 1032 - 6 * 32 && count < 1032 + 6 * 32))
})

test('an id is up to 200 visible ASCII characters (RFC 6749 appendix A.1)', async (t) => {
  for (const id of ['a', 'a:b%c+d', '~!"\\', 'x'.repeat(200)]) t.ok(isClientId(id), id)
  for (const id of ['', 'a b', 'a\0', 'é', 'a\n', '\ud800', 'x'.repeat(201)]) {
    t.notOk(isClientId(id), JSON.stringify(id))
  }
})
