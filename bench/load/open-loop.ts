import { setTimeout as delay } from 'node:timers/promises'
import { type HttpConnection, openConnections } from './connection.ts'
import { checkAnswer } from './outcome.ts'
import type { Script } from './request.ts'
import { collectSample, type Sample } from './sample.ts'

export type OpenLoop = {
  readonly port: number
  /** Requests past so many at once wait; their time runs. */
  readonly connections: number
  /** Arrivals, evenly spaced, whatever the server makes of them. */
  readonly perSecond: number
  readonly warmUpMs: number
  readonly durationMs: number
  readonly script: Script
  /** Whether 503 is an answer too; it counts apart. */
  readonly mayShed?: boolean
}

/**
 * Offers requests at a fixed rate. A latency counts from when the request was due, so that a server
 * that stalls does not slow down its own measurement.
 * @throws {Error} for any answer but 200, and 503 where that is expected.
 */
export const runOpenLoop = async (load: OpenLoop): Promise<Sample> => {
  const idle = await openConnections(load.port, load.connections)
  const all = [...idle]
  const start = performance.now()
  const from = start + load.warmUpMs
  const until = from + load.durationMs
  // Whatever was due in the measured time counts, however late its answer.
  const sample = collectSample(load.durationMs, (dueAt) => dueAt >= from)
  const due: number[] = []
  const running = new Set<Promise<void>>()

  const send = async (connection: HttpConnection, dueAt: number): Promise<void> => {
    const { request, finish } = load.script()
    const answer = await connection.exchange(request)
    checkAnswer(answer, load.mayShed ? [200, 503] : [200])
    if (answer.status === 200) sample.add(dueAt, performance.now())
    else sample.addShed()
    if (answer.status === 200) finish?.(answer.body)
    idle.push(connection)
    dispatch()
  }

  const dispatch = (): void => {
    while (due.length > 0) {
      const connection = idle.pop()
      if (connection === undefined) return
      const sent = send(connection, due.shift() ?? start)
      running.add(sent)
      // A failure ends the run, by way of `finished`.
      sent.then(() => running.delete(sent)).catch(() => {})
    }
  }

  const arrive = async (): Promise<void> => {
    const interval = 1000 / load.perSecond
    for (let next = start; next < until; ) {
      for (const now = performance.now(); next <= now && next < until; next += interval) {
        due.push(next)
      }
      dispatch()
      await delay(1)
    }
  }

  const finished = async (): Promise<void> => {
    while (due.length > 0 || running.size > 0) await Promise.all(running)
  }

  try {
    await arrive()
    await finished()
    return sample.finish()
  } finally {
    for (const connection of all) connection.close()
  }
}
