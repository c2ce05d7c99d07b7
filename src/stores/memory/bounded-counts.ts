import { type IRateLimiterOptions, RateLimiterMemory } from 'rate-limiter-flexible'

/**
 * Counts of this process, of so many keys at most: nobody fills the memory with names.
 * Beyond that the oldest go, and those that were set, such as locks, only after all others. Names
 * do not share a count as addresses do in `BoundedMemoryLimiter`: a flood would lock out everybody.
 */
export class BoundedCounts extends RateLimiterMemory {
  readonly #capacity: number
  readonly #counted = new Set<string>()
  readonly #held = new Set<string>()

  constructor(options: IRateLimiterOptions, capacity = 100_000) {
    super(options)
    this.#capacity = capacity
  }

  override async penalty(...given: Parameters<RateLimiterMemory['penalty']>) {
    const key = String(given[0])
    if (!this.#held.has(key)) this.#remember(this.#counted, key)
    return super.penalty(...given)
  }

  override async set(...given: Parameters<RateLimiterMemory['set']>) {
    const key = String(given[0])
    this.#counted.delete(key)
    this.#remember(this.#held, key)
    return super.set(...given)
  }

  override async delete(...given: Parameters<RateLimiterMemory['delete']>) {
    const key = String(given[0])
    for (const keys of [this.#counted, this.#held]) keys.delete(key)
    return super.delete(...given)
  }

  #remember(keys: Set<string>, key: string): void {
    keys.delete(key)
    keys.add(key)
    if (this.#counted.size + this.#held.size <= this.#capacity) return
    const [oldest = ''] = this.#counted.size > 0 ? this.#counted : this.#held
    // At once: the limiter of this process answers by itself.
    void this.delete(oldest)
  }
}
