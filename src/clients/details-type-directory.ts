import type { DetailsType, DetailsTypeStore } from './details-type.ts'
import { createMemoryCopy, type MemoryCopy, type MemoryCopyOptions } from './memory-copy.ts'

/** All types of authorization details, in memory: validating a request reads nothing. */
export type DetailsTypes = {
  find(type: string): DetailsType | undefined
  /** By type. */
  all(): readonly DetailsType[]
}

type DetailsTypeDirectoryOptions = MemoryCopyOptions & {
  readonly store: Pick<DetailsTypeStore, 'list'>
}

export const createDetailsTypeDirectory = ({
  store,
  ...options
}: DetailsTypeDirectoryOptions): DetailsTypes & MemoryCopy => {
  let known: ReadonlyMap<string, DetailsType> = new Map()
  return {
    find: (type) => known.get(type),
    all: () => [...known.values()],
    ...createMemoryCopy(
      () => store.list(),
      (found) => {
        known = new Map(found.map((each) => [each.type, each]))
      },
      options,
    ),
  }
}
