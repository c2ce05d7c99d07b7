/** A copy in memory of what the database has, so that nothing is read when it is needed. */
export type MemoryCopy = {
  /** @throws {Unavailable} when the database does not answer; what was known stays. */
  reload(): Promise<void>
  /** Loads, and reloads every minute from then on. */
  start(): Promise<void>
  close(): void
}

export type MemoryCopyOptions = {
  readonly onFailure: (error: unknown) => void
  readonly reloadMs?: number
}

/** @param keep puts what was read in the place of what was known */
export const createMemoryCopy = <T>(
  read: () => Promise<T>,
  keep: (found: T) => void,
  { onFailure, reloadMs = 60_000 }: MemoryCopyOptions,
): MemoryCopy => {
  let timer: NodeJS.Timeout | undefined
  let begun = 0
  let kept = 0

  const reload = async (): Promise<void> => {
    begun += 1
    const turn = begun
    const found = await read()
    // Of two loads at once the one that began later knows more.
    if (turn < kept) return
    kept = turn
    keep(found)
  }

  return {
    reload,
    async start() {
      await reload()
      timer = setInterval(() => void reload().catch(onFailure), reloadMs)
    },
    close: () => clearInterval(timer),
  }
}
