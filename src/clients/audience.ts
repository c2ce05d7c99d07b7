import type { AudienceSettings } from '../tokens/issuer.ts'

/** An audience with settings of its own for the access tokens that are meant for it. */
export type Audience = AudienceSettings & { readonly name: string }

export type StoredAudience = Audience & {
  /** Seconds: the longest lifetime that its tokens ever had by its own settings; 0: none. */
  readonly longestTtlSeconds: number
}
