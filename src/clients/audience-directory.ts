import type { AudienceDirectory, AudienceSettings } from '../tokens/issuer.ts'
import type { StoredAudience } from './audience.ts'
import type { AudienceStore } from './audience-store.ts'
import { createMemoryCopy, type MemoryCopy, type MemoryCopyOptions } from './memory-copy.ts'

/** The settings of all audiences in memory, so that issuing a token reads nothing. */
export type LoadedAudiences = AudienceDirectory &
  MemoryCopy & {
    /** Seconds: the longest lifetime that any audience sets or has ever set; 0: none. */
    longestLifetimeSeconds(): number
  }

type AudienceDirectoryOptions = MemoryCopyOptions & {
  readonly store: Pick<AudienceStore, 'list'>
}

export const createAudienceDirectory = ({
  store,
  ...options
}: AudienceDirectoryOptions): LoadedAudiences => {
  let settings = new Map<string, AudienceSettings>()
  let algorithms: ReadonlySet<string> = new Set()
  let longest = 0

  const keep = (audiences: readonly StoredAudience[]): void => {
    settings = new Map(audiences.map(({ name, ...rest }) => [name, rest]))
    algorithms = new Set(audiences.flatMap((each) => each.signingAlgorithm ?? []))
    longest = Math.max(0, ...audiences.map(({ longestTtlSeconds }) => longestTtlSeconds))
  }

  return {
    settingsOf: (audience) => settings.get(audience),
    hasSeveralAlgorithms: () => algorithms.size > 1,
    longestLifetimeSeconds: () => longest,
    ...createMemoryCopy(() => store.list(), keep, options),
  }
}
