import { test } from 'tap'
import { isAudience } from '../../src/oauth/audience.ts'

test('an audience is a URI without a fragment, or a plain name', async (t) => {
  for (const name of ['https://api.example', 'urn:example:api', 'orders', 'x'.repeat(255)]) {
    t.ok(isAudience(name), name)
  }
  for (const name of ['', 'two words', 'https://api.example#x', ':', 'a"b', 'ä', 'x'.repeat(256)]) {
    t.notOk(isAudience(name), name)
  }
})
