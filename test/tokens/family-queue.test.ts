import { test } from 'tap'
import { Unavailable } from '../../src/oauth/unavailable.ts'
import { FamilyQueue } from '../../src/tokens/family-queue.ts'

/** An act that waits to be let go, and counts how many run at once. */
const makeAct = () => {
  const gate = Promise.withResolvers<void>()
  const act = { running: 0, most: 0, runs: 0, open: gate.resolve }
  const run = async (): Promise<number> => {
    act.running += 1
    act.runs += 1
    act.most = Math.max(act.most, act.running)
    const run = act.runs
    await gate.promise
    act.running -= 1
    return run
  }
  return { act, run }
}

test('family queue: one refresh of a family runs at a time', async (t) => {
  const queue = new FamilyQueue()
  const { act, run } = makeAct()
  const answers = ['a', 'b', 'c'].map((key) => queue.run('family', key, run))
  act.open()
  t.strictSame(await Promise.all(answers), [1, 2, 3])
  t.equal(act.most, 1)
})

test('family queue: families do not wait for each other', async (t) => {
  const queue = new FamilyQueue()
  const { act, run } = makeAct()
  const answers = ['one', 'two', 'three'].map((family) => queue.run(family, 'key', run))
  t.equal(act.running, 3)
  act.open()
  await Promise.all(answers)
})

test('family queue: identical requests that wait share one answer', async (t) => {
  const queue = new FamilyQueue()
  const { act, run } = makeAct()
  const answers = Array.from({ length: 50 }, () => queue.run('family', 'same', run))
  act.open()
  t.strictSame(await Promise.all(answers), [1, ...new Array(49).fill(2)])
  t.equal(act.runs, 2)
})

test('family queue: who asks while the shared answer is being made waits for a newer one', async (t) => {
  const queue = new FamilyQueue()
  const order: string[] = []
  const first = queue.run('family', 'same', async () => order.push('first'))
  const second = queue.run('family', 'same', async () => {
    order.push('second')
    const third = queue.run('family', 'same', async () => order.push('third'))
    return { third }
  })
  await first
  await (await second).third
  t.strictSame(order, ['first', 'second', 'third'])
})

test('family queue: a failure reaches those who asked for it and nobody else', async (t) => {
  const queue = new FamilyQueue()
  const fail = async (): Promise<never> => {
    throw new Error('broken')
  }
  const failing = [queue.run('family', 'bad', fail), queue.run('family', 'bad', fail)]
  const fine = queue.run('family', 'good', async () => 'fine')
  const results = await Promise.allSettled([...failing, fine])
  t.strictSame(
    results.map((result) => (result.status === 'fulfilled' ? result.value : result.reason.message)),
    ['broken', 'broken', 'fine'],
  )
})

test('family queue: past its limit a caller is refused with Unavailable, then served again', async (t) => {
  const queue = new FamilyQueue(2)
  const { act, run } = makeAct()
  const answers = [queue.run('family', 'a', run), queue.run('family', 'b', run)]
  await t.rejects(queue.run('family', 'c', run), Unavailable)
  act.open()
  await Promise.all(answers)
  t.equal(await queue.run('family', 'd', run), 3)
})

test('family queue: when a dependency does not answer one, those behind it are refused at once', async (t) => {
  const queue = new FamilyQueue()
  const { act, run } = makeAct()
  const timedOut = async (): Promise<never> => {
    throw new Unavailable('no answer')
  }
  const answers = [queue.run('family', 'a', timedOut), queue.run('family', 'b', run)]
  for (const answer of answers) await t.rejects(answer, Unavailable)
  t.equal(act.runs, 0)
  act.open()
  t.equal(await queue.run('family', 'b', run), 1, 'the next one is served')
})
