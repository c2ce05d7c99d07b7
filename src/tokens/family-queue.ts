import { Unavailable } from '../oauth/unavailable.ts'

type Waiting = {
  readonly run: () => Promise<unknown>
  readonly settle: PromiseWithResolvers<unknown>
}
type Line = { readonly waiting: Map<string, Waiting>; callers: number }

/**
 * Lets one refresh per family at a time use a connection; the others wait in memory. Without it
 * one token sprayed in parallel occupies the whole pool and slows down every other family.
 * Requests that wait with the same key are the same question and share one answer.
 */
export class FamilyQueue {
  readonly #lines = new Map<string, Line>()
  readonly #limit: number
  #callers = 0
  readonly #totalLimit: number

  /** @param limit callers that one family may have; @param totalLimit all families together. */
  constructor(limit = 256, totalLimit = 10_000) {
    this.#limit = limit
    this.#totalLimit = totalLimit
  }

  /** @throws {Unavailable} when the line is full. */
  async run<T>(familyId: string, key: string, act: () => Promise<T>): Promise<T> {
    const line = this.#lines.get(familyId)
    if (line === undefined) return this.#first(familyId, act)
    if (line.callers >= this.#limit || this.#callers >= this.#totalLimit) {
      throw new Unavailable('too many refreshes of one family at once')
    }
    const waiting = line.waiting.get(key) ?? { run: act, settle: Promise.withResolvers() }
    line.waiting.set(key, waiting)
    return this.#counted(line, waiting.settle.promise as Promise<T>)
  }

  async #first<T>(familyId: string, act: () => Promise<T>): Promise<T> {
    const line: Line = { waiting: new Map(), callers: 0 }
    this.#lines.set(familyId, line)
    const answer = act()
    void answer.then(
      () => this.#drain(familyId, line),
      (error: unknown) => this.#drain(familyId, line, error),
    )
    return this.#counted(line, answer)
  }

  async #counted<T>(line: Line, answer: Promise<T>): Promise<T> {
    line.callers += 1
    this.#callers += 1
    try {
      return await answer
    } finally {
      line.callers -= 1
      this.#callers -= 1
    }
  }

  async #drain(familyId: string, line: Line, failure?: unknown): Promise<void> {
    let failed = failure
    for (const [key, { run, settle }] of line.waiting) {
      // Removed before it runs: who asks from now on must get a newer answer.
      line.waiting.delete(key)
      // What did not answer the one before would let the next wait for its time-out as well, and
      // nobody may wait for more than one.
      if (failed instanceof Unavailable) settle.reject(failed)
      else {
        failed = undefined
        await run().then(settle.resolve, (error: unknown) => {
          failed = error
          settle.reject(error)
        })
      }
    }
    this.#lines.delete(familyId)
  }
}
