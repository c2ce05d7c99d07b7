import { type HttpConnection, openConnections } from './connection.ts'
import { checkAnswer } from './outcome.ts'
import type { Script } from './request.ts'
import { collectSample, type Sample } from './sample.ts'

export type ClosedLoop = {
  readonly port: number
  readonly connections: number
  readonly warmUpMs: number
  readonly durationMs: number
  /** What each connection sends; the next request follows the answer to the last one. */
  readonly scriptOf: (connection: number) => Script
}

/**
 * As much as the server takes from so many connections.
 * @throws {Error} for any answer but 200.
 */
export const runClosedLoop = async (load: ClosedLoop): Promise<Sample> => {
  const connections = await openConnections(load.port, load.connections)
  const from = performance.now() + load.warmUpMs
  const until = from + load.durationMs
  const sample = collectSample(load.durationMs, (_, endedAt) => endedAt > from && endedAt <= until)

  const drive = async (connection: HttpConnection, script: Script): Promise<void> => {
    for (;;) {
      const startedAt = performance.now()
      if (startedAt >= until) return
      const { request, finish } = script()
      const answer = await connection.exchange(request)
      sample.add(startedAt, performance.now())
      checkAnswer(answer, [200])
      finish?.(answer.body)
    }
  }

  try {
    await Promise.all(connections.map((each, index) => drive(each, load.scriptOf(index))))
    return sample.finish()
  } finally {
    for (const connection of connections) connection.close()
  }
}
