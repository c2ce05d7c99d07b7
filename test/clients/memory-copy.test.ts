import { test } from 'tap'
import { createClientOrigins } from '../../src/clients/origin-directory.ts'

test('of two loads at once the one that began later counts, whichever ends first', async (t) => {
  const first = Promise.withResolvers<string[]>()
  const answers = [first.promise, Promise.resolve(['https://new.example'])]
  const origins = createClientOrigins({
    store: { listOrigins: () => answers.shift() ?? Promise.reject(new Error('a third load')) },
    onFailure: (error) => t.fail(String(error)),
  })
  const slow = origins.reload()
  await origins.reload()
  first.resolve(['https://old.example'])
  await slow
  t.equal(origins.has('https://new.example'), true)
  t.equal(origins.has('https://old.example'), false)
})
