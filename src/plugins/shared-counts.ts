import type { Count } from './rate-limiter.ts'

type CountOnce = () => Promise<Count | undefined>

/**
 * Counts requests that ask the same at the same time as one: the tabs of a browser that wake up
 * together share one rotation, and its answer, and may not use up what the family has. They share
 * the count of the first until that has its answer, so that each point buys two looks at the family
 * at most: the first one's, and that of all who came while it was being looked at.
 */
export class SharedCounts {
  readonly #counts = new Map<string, Promise<Count | undefined>>()

  /**
   * @param question all that the answer depends on
   * @returns the count, and for the request that made it what ends its sharing
   */
  share(question: string, count: CountOnce): { counted: ReturnType<CountOnce>; end?: () => void } {
    const shared = this.#counts.get(question)
    if (shared !== undefined) return { counted: shared }
    const counted = count()
    this.#counts.set(question, counted)
    const end = (): void => {
      if (this.#counts.get(question) === counted) this.#counts.delete(question)
    }
    return { counted, end }
  }
}
