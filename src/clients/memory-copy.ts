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

export const createMemoryCopy = (
  reload: () => Promise<void>,
  { onFailure, reloadMs = 60_000 }: MemoryCopyOptions,
): MemoryCopy => {
  let timer: NodeJS.Timeout | undefined
  return {
    reload,
    async start() {
      await reload()
      timer = setInterval(() => void reload().catch(onFailure), reloadMs)
    },
    close: () => clearInterval(timer),
  }
}
