/** Counts that all nodes share, as far as they can; each is forgotten when its time is over. */
export type AttemptStore = {
  /**
   * Counts one more, in one step.
   * @param windowSeconds how long a count that begins here is kept
   * @returns how many there are now, and for how long they stand
   */
  add(
    key: string,
    windowSeconds: number,
  ): Promise<{ readonly count: number; readonly secondsLeft: number }>
  /** Counts one fewer. */
  takeBack(key: string, windowSeconds: number): Promise<void>
  /** Makes it `count` for so many seconds from now on. */
  set(key: string, count: number, seconds: number): Promise<void>
  forget(key: string): Promise<void>
  /**
   * Forgets wherever it is counted, and not only where that can be done at once.
   * @throws {Unavailable} when the shared counts cannot be reached; then an operator has to know.
   */
  erase(key: string): Promise<void>
}
