import type { ScheduleReport } from '../keys/scheduled-rotation.ts'

type Stuck = ScheduleReport['stuck'][number]

type Options = {
  /** Does what is due; may run on several nodes at once. */
  readonly run: () => Promise<ScheduleReport>
  readonly intervalMs: number
  /** Told at every run: somebody has to do something. */
  readonly onStuck: (stuck: Stuck) => void
  readonly onFailure: (error: unknown) => void
}

export type KeySchedule = {
  start(): void
  close(): Promise<void>
}

/**
 * Lets keys rotate by themselves, on every node, without a leader. A run that fails changes
 * nothing: the present keys go on signing, and the next run finds what is due.
 */
export const createKeySchedule = (options: Options): KeySchedule => {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let closed = false

  const run = async (): Promise<void> => {
    try {
      const { stuck } = await options.run()
      for (const each of stuck) options.onStuck(each)
    } catch (error) {
      options.onFailure(error)
    }
  }
  const schedule = (): void => {
    timer = setTimeout(() => {
      running = run().finally(() => {
        if (!closed) schedule()
      })
    }, options.intervalMs)
  }
  return {
    start: schedule,
    async close() {
      closed = true
      clearTimeout(timer)
      await running
    },
  }
}
