/**
 * A dependency does not answer, or a bounded queue is full: nothing was done, try again. Rendered
 * as 503 with Retry-After by every endpoint, in its own error format.
 */
export class Unavailable extends Error {
  /** Whole seconds. */
  readonly retryAfterSeconds: number

  constructor(reason: string, options: { cause?: unknown; retryAfterSeconds?: number } = {}) {
    super(reason, { cause: options.cause })
    this.name = 'Unavailable'
    this.retryAfterSeconds = options.retryAfterSeconds ?? 1
  }
}
