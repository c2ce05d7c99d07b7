/** Deletes one small batch of what nobody can ask for any more. @returns how many rows went. */
export type Pruner = { readonly name: string; prune(): Promise<number> }

type Options = {
  readonly pruners: readonly Pruner[]
  readonly intervalMs: number
  readonly onPruned: (name: string, rows: number) => void
  readonly onFailure: (name: string, error: unknown) => void
}

export type PruneJob = { start(): void; close(): Promise<void> }

/** Runs on every node; batches skip rows that another node holds, so no leader is needed. */
export const createPruneJob = (options: Options): PruneJob => {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let closed = false

  const run = async (): Promise<void> => {
    for (const pruner of options.pruners) {
      if (closed) return
      await pruner
        .prune()
        .then((rows) => options.onPruned(pruner.name, rows))
        .catch((error: unknown) => options.onFailure(pruner.name, error))
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
