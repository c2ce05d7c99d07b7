export type Repetition = {
  start(): void
  /** Nothing begins after it; what is under way is waited for. */
  close(): Promise<void>
}

/** Does something again and again, each time so long after the last one has ended. */
export const createRepetition = (
  act: () => Promise<void>,
  intervalMs: number,
  onFailure: (error: unknown) => void,
): Repetition => {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let closed = false
  const schedule = (): void => {
    if (closed) return
    timer = setTimeout(() => {
      running = act().catch(onFailure).finally(schedule)
    }, intervalMs)
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
