/** The present moment. Passed in, so that tests and the database's time can decide it. */
export type Clock = () => Date

/** NumericDate (RFC 7519 §2): whole seconds since the epoch. */
export const toNumericDate = (date: Date): number => Math.floor(date.getTime() / 1000)

/** `date` moved by `seconds`, which may be negative. */
export const addSeconds = (date: Date, seconds: number): Date =>
  new Date(date.getTime() + seconds * 1000)
