/**
 * A small piece of upkeep that any node may do at any time: deleting a batch of what nobody can ask
 * for any more, making next month's partition. @returns how much it did.
 */
export type Chore = { readonly name: string; run(): Promise<number> }

type Options = {
  readonly chores: readonly Chore[]
  readonly intervalMs: number
  readonly onDone: (name: string, count: number) => void
  readonly onFailure: (name: string, error: unknown) => void
}

export type Housekeeping = {
  /** Does everything once, then again and again. Failures are told, not thrown. */
  start(): Promise<void>
  close(): Promise<void>
}

/** Runs on every node; batches skip rows that another node holds, so no leader is needed. */
export const createHousekeeping = (options: Options): Housekeeping => {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let closed = false

  const run = async (): Promise<void> => {
    for (const chore of options.chores) {
      if (closed) return
      await chore
        .run()
        .then((count) => options.onDone(chore.name, count))
        .catch((error: unknown) => options.onFailure(chore.name, error))
    }
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
