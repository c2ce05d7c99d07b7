/**
 * A small piece of upkeep that any node may do at any time: deleting a batch of what nobody can ask
 * for any more, making next month's partition. @returns how much it did; 0: nothing was left.
 */
export type Chore = { readonly name: string; readonly run: () => Promise<number> }

type Options = {
  readonly chores: readonly Chore[]
  readonly intervalMs: number
  /** Told only when there was something to do. */
  readonly onDone: (name: string, count: number) => void
  readonly onFailure: (name: string, error: unknown) => void
}

export type Housekeeping = {
  /** Does everything once, then again and again. Failures are told, not thrown. */
  start(): Promise<void>
  close(): Promise<void>
}

/** A chore that finds more to do is repeated, but does not keep the others waiting for ever. */
const mostRepetitions = 100

/** Runs on every node; batches skip rows that another node holds, so no leader is needed. */
export const createHousekeeping = (options: Options): Housekeeping => {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let closed = false

  const finish = async ({ name, run }: Chore): Promise<void> => {
    try {
      for (let repetition = 0; repetition < mostRepetitions && !closed; repetition += 1) {
        const count = await run()
        if (count === 0) return
        options.onDone(name, count)
      }
    } catch (error) {
      options.onFailure(name, error)
    }
  }
  const run = async (): Promise<void> => {
    for (const chore of options.chores) await finish(chore)
  }
  const runAndSchedule = (): Promise<void> => {
    running = run().finally(() => {
      if (!closed) timer = setTimeout(runAndSchedule, options.intervalMs)
    })
    return running
  }
  return {
    start: runAndSchedule,
    async close() {
      closed = true
      clearTimeout(timer)
      await running
    },
  }
}
