const firstMs = 200
const longestMs = 30_000

/**
 * How long to wait before the process that has ended is replaced, in milliseconds.
 * @param failures how many in a row ended before they had served for a while; the first is
 *   replaced at once, those after it ever later, so that a crash loop does not use up the machine.
 */
export const restartDelayMs = (failures: number): number =>
  failures <= 1 ? 0 : Math.min(longestMs, firstMs * 2 ** (failures - 2))
