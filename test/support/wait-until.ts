import { setTimeout as delay } from 'node:timers/promises'

/**
 * Polls a condition until it holds.
 *
 * @param description what is waited for, as the end of "waited for …"
 * @param condition holds when it gives anything but `undefined`, `null` or `false`; may throw,
 *   which counts as not yet
 * @returns what the condition gave
 * @throws {Error} naming the description when the deadline has passed, with the last error as cause
 */
export async function waitUntil<T>(
  description: string,
  condition: () => T | Promise<T>,
  { timeoutMs = 10_000, intervalMs = 20 } = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + timeoutMs
  let cause: unknown
  do {
    try {
      const value = await condition()
      if (value !== undefined && value !== null && value !== false) {
        return value as NonNullable<Exclude<T, false>>
      }
      cause = undefined
    } catch (error) {
      cause = error
    }
    await delay(intervalMs)
  } while (performance.now() < deadline)
  throw new Error(`waited ${timeoutMs} ms in vain for ${description}`, { cause })
}
