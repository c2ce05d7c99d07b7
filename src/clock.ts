/** The present moment. Passed in, so that tests and the database's time can decide it. */
export type Clock = () => Date

/** NumericDate (RFC 7519 §2): whole seconds since the epoch. */
export const toNumericDate = (date: Date): number => Math.floor(date.getTime() / 1000)

/** `date` moved by `seconds`, which may be negative. */
export const addSeconds = (date: Date, seconds: number): Date =>
  new Date(date.getTime() + seconds * 1000)

/** A clock that follows another one: the node's own may be wrong or be set. */
export type SteeredClock = {
  readonly now: Clock
  /** @param time what the followed clock shows at this moment. */
  steer(time: Date): void
}

export const createSteeredClock = (): SteeredClock => {
  // Monotonic in between, so that a step of the system's clock changes nothing.
  let base = Date.now() - performance.now()
  return {
    now: () => new Date(base + performance.now()),
    steer: (time) => {
      base = time.getTime() - performance.now()
    },
  }
}
