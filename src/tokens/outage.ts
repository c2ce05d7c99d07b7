/** A span in which the service could not answer; the database's times. */
export type Outage = { readonly startedAt: Date; readonly endedAt: Date }

/** @returns milliseconds of `[from, to]` that the outages cover; overlapping ones count once. */
export const outageWithin = (from: Date, to: Date, outages: readonly Outage[]): number => {
  const spans = outages
    .map(({ startedAt, endedAt }) => ({
      start: Math.max(startedAt.getTime(), from.getTime()),
      end: Math.min(endedAt.getTime(), to.getTime()),
    }))
    .filter(({ start, end }) => end > start)
    .toSorted((a, b) => a.start - b.start)
  let covered = 0
  let reached = from.getTime()
  for (const { start, end } of spans) {
    covered += Math.max(0, end - Math.max(start, reached))
    reached = Math.max(reached, end)
  }
  return covered
}

export type OutageStore = { record(outage: Outage): Promise<void> }

/** A time without writes, or without any answer, that is longer than this is an outage. */
const toleranceMs = 3000

/** What this node knows of the database's silences. */
export type OutageTracker = {
  /** The database takes writes; `now` is its time. A silence that ended here is recorded. */
  heard(now: Date): Promise<void>
  /** The silence that has ended by `now` but is not recorded yet. */
  unrecorded(now: Date): readonly Outage[]
}

/** @param uptimeMs a clock that never goes back: a step of the database's clock is no silence. */
export const createOutageTracker = (
  store: OutageStore,
  uptimeMs: () => number = () => performance.now(),
): OutageTracker => {
  let heardAt: number | undefined
  const silence = (now: Date): Outage | undefined => {
    const length = heardAt === undefined ? 0 : uptimeMs() - heardAt
    return length > toleranceMs
      ? { startedAt: new Date(now.getTime() - length), endedAt: now }
      : undefined
  }
  return {
    async heard(now) {
      const outage = silence(now)
      if (outage !== undefined) await store.record(outage)
      heardAt = uptimeMs()
    },
    unrecorded(now) {
      const outage = silence(now)
      return outage === undefined ? [] : [outage]
    },
  }
}
