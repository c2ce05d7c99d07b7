import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible'
import { sha256 } from '../../secrets/digest.ts'

/** Keys of one limit that a process counts apart, of a few hundred bytes each. */
const keysApart = 50_000
const sharedKeys = 1000

/**
 * Counts in the process, in bounded memory: once there are too many keys, new ones share what is
 * left. So whoever has very many addresses gets less, not more; they would get more if the oldest
 * were forgotten, as in `BoundedCounts`.
 */
export class BoundedMemoryLimiter extends RateLimiterMemory {
  // Keys that began in the present window, and in the one before: none older is still there.
  #began = 0
  #beganBefore = 0
  #windowEnd = 0

  override async consume(key: string | number): Promise<RateLimiterRes> {
    this.#moveWindow(performance.now())
    const isCrowded = this.#began + this.#beganBefore >= keysApart
    const counted = isCrowded && (await this.get(key)) === null ? toSharedKey(key) : key
    try {
      return this.#note(await super.consume(counted))
    } catch (over) {
      throw this.#note(over as RateLimiterRes)
    }
  }

  #note(result: RateLimiterRes): RateLimiterRes {
    if (result.isFirstInDuration) this.#began += 1
    return result
  }

  #moveWindow(now: number): void {
    if (now < this.#windowEnd) return
    const missedOne = now >= this.#windowEnd + this.msDuration
    this.#beganBefore = missedOne ? 0 : this.#began
    this.#began = 0
    this.#windowEnd = now + this.msDuration
  }
}

const toSharedKey = (key: string | number): string =>
  `shared ${sha256(`${key}`).readUInt32BE(0) % sharedKeys}`
