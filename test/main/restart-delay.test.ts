import fc from 'fast-check'
import t from 'tap'
import { restartDelayMs } from '../../src/main/restart-delay.ts'

t.test('the first that ends is replaced at once', async (t) => {
  t.equal(restartDelayMs(1), 0)
})

t.test('those after it are replaced ever later, but never later than half a minute', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 10_000 }), (failures) => {
      const [delay, next] = [restartDelayMs(failures), restartDelayMs(failures + 1)]
      return delay >= 200 && next <= 30_000 && (next === 2 * delay || next === 30_000)
    }),
  )
})
