/** One measurement under load. Latencies in milliseconds. */
export type Sample = {
  /** Good answers within the measured time, per second. */
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  /** All good answers, those of the warm-up and the last ones included. */
  readonly answers: number
  /** Answers that were shed with 503, where that is expected. */
  readonly shed: number
}

/** Collects what is answered. */
export type SampleCollector = {
  add(startedAt: number, endedAt: number): void
  addShed(): void
  finish(): Sample
}

/**
 * @param durationMs the measured time
 * @param counts whether an answer belongs to the measured time; times by `performance.now()`
 */
export const collectSample = (
  durationMs: number,
  counts: (startedAt: number, endedAt: number) => boolean,
): SampleCollector => {
  const latencies: number[] = []
  let answers = 0
  let shed = 0
  return {
    add(startedAt, endedAt) {
      answers += 1
      if (counts(startedAt, endedAt)) latencies.push(endedAt - startedAt)
    },
    addShed() {
      shed += 1
    },
    finish() {
      const sorted = Float64Array.from(latencies).sort()
      return {
        perSecond: latencies.length / (durationMs / 1000),
        p50: quantile(sorted, 0.5),
        p99: quantile(sorted, 0.99),
        answers,
        shed,
      }
    },
  }
}

/** @param sorted ascending; NaN when it is empty. */
export const quantile = (sorted: ArrayLike<number>, fraction: number): number =>
  sorted[Math.max(0, Math.ceil(sorted.length * fraction) - 1)] ?? Number.NaN

export const median = (values: readonly number[]): number =>
  quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  )

/** The median of each figure over several measurements of the same thing. */
export const medianSample = (samples: readonly Sample[]): Sample => {
  const of = (pick: (sample: Sample) => number): number => median(samples.map(pick))
  return {
    perSecond: of(({ perSecond }) => perSecond),
    p50: of(({ p50 }) => p50),
    p99: of(({ p99 }) => p99),
    answers: of(({ answers }) => answers),
    shed: of(({ shed }) => shed),
  }
}
