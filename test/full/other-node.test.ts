import { test } from 'tap'
import { openChanges } from '../clients/other-node.ts'
import { waitUntil } from '../support/wait-until.ts'

// A minute, and time for the statement that reads.
const withinAMinute = { timeoutMs: 62_000, intervalMs: 250 }

test('without Redis the other node follows each change within a minute', async (t) => {
  const { changes } = await openChanges(t, {})
  for (const { what, state } of changes) t.equal(await state(), 'old', what)
  for (const { make } of changes) await make()
  await Promise.all(
    changes.map(({ what, state }) =>
      waitUntil(what, async () => (await state()) === 'new', withinAMinute),
    ),
  )
})
