import { type Test, test } from 'tap'
import { type Chore, createHousekeeping } from '../../src/jobs/housekeeping.ts'
import { waitUntil } from '../support/wait-until.ts'

const never = 3_600_000

/** A chore that finds so much to do, a piece at a time; and how often it was asked. */
const makeChore = (name: string, pieces: number) => {
  const state = { asked: 0, left: pieces }
  const run = async (): Promise<number> => {
    state.asked += 1
    state.left = Math.max(0, state.left - 1)
    return state.asked <= pieces ? 1 : 0
  }
  return { chore: { name, run } satisfies Chore, state }
}

const open = (t: Test, chores: readonly Chore[], intervalMs = never) => {
  const done: string[] = []
  const failed: unknown[] = []
  const housekeeping = createHousekeeping({
    chores,
    intervalMs,
    onDone: (name) => void done.push(name),
    onFailure: (name, error) => void failed.push([name, error]),
  })
  t.teardown(() => housekeeping.close())
  return { housekeeping, done, failed }
}

test('housekeeping: each chore is repeated until nothing is left to do', async (t) => {
  const [big, none, small] = [makeChore('big', 7), makeChore('none', 0), makeChore('small', 1)]
  const { housekeeping, done } = open(t, [big.chore, none.chore, small.chore])
  await housekeeping.start()
  t.strictSame(done, [...new Array(7).fill('big'), 'small'])
  t.strictSame([big.state.asked, none.state.asked, small.state.asked], [8, 1, 2])
})

test('housekeeping: a chore without an end does not keep the others waiting for ever', async (t) => {
  const [endless, other] = [makeChore('endless', never), makeChore('other', 1)]
  const { housekeeping, done } = open(t, [endless.chore, other.chore])
  await housekeeping.start()
  t.equal(endless.state.asked, 100)
  t.equal(done.at(-1), 'other')
})

test('housekeeping: a chore that fails is told, and the others are done', async (t) => {
  const error = new Error('broken')
  const broken: Chore = {
    name: 'broken',
    run: async () => {
      throw error
    },
  }
  const other = makeChore('other', 1)
  const { housekeeping, done, failed } = open(t, [broken, other.chore])
  await housekeeping.start()
  t.strictSame(failed, [['broken', error]])
  t.strictSame(done, ['other'])
})

test('housekeeping: it begins again by itself', async (t) => {
  const { chore, state } = makeChore('often', 0)
  const { housekeeping } = open(t, [chore], 1)
  await housekeeping.start()
  await waitUntil('a third time', () => state.asked >= 3)
})

test('housekeeping: closing waits for what runs, and nothing begins after it', async (t) => {
  const begun = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const slow: Chore = {
    name: 'slow',
    run: async () => {
      begun.resolve()
      await gate.promise
      return 1
    },
  }
  const other = makeChore('other', 1)
  const { housekeeping, done } = open(t, [slow, other.chore], 1)
  const started = housekeeping.start()
  await begun.promise
  const closed = housekeeping.close()
  gate.resolve()
  await Promise.all([closed, started])
  t.strictSame(done, ['slow'])
  t.equal(other.state.asked, 0)
})
