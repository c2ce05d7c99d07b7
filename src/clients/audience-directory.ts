import type { AudienceDirectory, AudienceSettings } from '../tokens/issuer.ts'
import type { AudienceStore } from './audience-store.ts'

/** The settings of all audiences in memory, so that issuing a token reads nothing. */
export type LoadedAudiences = AudienceDirectory & {
  /** Seconds: the longest lifetime that any audience sets or has ever set; 0: none. */
  longestLifetimeSeconds(): number
  /** @throws {Unavailable} when the database does not answer; what was known stays. */
  reload(): Promise<void>
  /** Loads, and reloads every minute from then on. */
  start(): Promise<void>
  close(): void
}

type AudienceDirectoryOptions = {
  readonly store: Pick<AudienceStore, 'list'>
  readonly onFailure: (error: unknown) => void
  readonly reloadMs?: number
}

export const createAudienceDirectory = ({
  store,
  onFailure,
  reloadMs = 60_000,
}: AudienceDirectoryOptions): LoadedAudiences => {
  let settings = new Map<string, AudienceSettings>()
  let longest = 0
  let timer: NodeJS.Timeout | undefined

  const reload = async (): Promise<void> => {
    const audiences = await store.list()
    settings = new Map(audiences.map(({ name, ...rest }) => [name, rest]))
    longest = Math.max(0, ...audiences.map(({ longestTtlSeconds }) => longestTtlSeconds))
  }

  return {
    settingsOf: (audience) => settings.get(audience),
    longestLifetimeSeconds: () => longest,
    reload,
    async start() {
      await reload()
      timer = setInterval(() => void reload().catch(onFailure), reloadMs)
    },
    close: () => clearInterval(timer),
  }
}
