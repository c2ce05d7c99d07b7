import type { ClientStore } from './client-store.ts'
import { createMemoryCopy, type MemoryCopy, type MemoryCopyOptions } from './memory-copy.ts'

/** The origins of all enabled clients in memory, so that a preflight reads nothing. */
export type ClientOrigins = MemoryCopy & { has(origin: string): boolean }

type ClientOriginsOptions = MemoryCopyOptions & {
  readonly store: Pick<ClientStore, 'listOrigins'>
}

export const createClientOrigins = ({ store, ...options }: ClientOriginsOptions): ClientOrigins => {
  let origins: ReadonlySet<string> = new Set()

  const keep = (found: readonly string[]): void => {
    origins = new Set(found)
  }

  return {
    has: (origin) => origins.has(origin),
    ...createMemoryCopy(() => store.listOrigins(), keep, options),
  }
}
