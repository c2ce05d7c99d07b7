import type { ClientStore } from './client-store.ts'

/** The origins of all enabled clients in memory, so that a preflight reads nothing. */
export type ClientOrigins = {
  has(origin: string): boolean
  /** @throws {Unavailable} when the database does not answer; what was known stays. */
  reload(): Promise<void>
  /** Loads, and reloads every minute from then on. */
  start(): Promise<void>
  close(): void
}

type ClientOriginsOptions = {
  readonly store: Pick<ClientStore, 'listOrigins'>
  readonly onFailure: (error: unknown) => void
  readonly reloadMs?: number
}

export const createClientOrigins = ({
  store,
  onFailure,
  reloadMs = 60_000,
}: ClientOriginsOptions): ClientOrigins => {
  let origins: ReadonlySet<string> = new Set()
  let timer: NodeJS.Timeout | undefined

  const reload = async (): Promise<void> => {
    origins = new Set(await store.listOrigins())
  }

  return {
    has: (origin) => origins.has(origin),
    reload,
    async start() {
      await reload()
      timer = setInterval(() => void reload().catch(onFailure), reloadMs)
    },
    close: () => clearInterval(timer),
  }
}
