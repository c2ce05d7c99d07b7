/** How long and how often everything is measured. */
export type Plan = {
  /** Measurements of each side of a comparison; the table shows their medians. */
  readonly rounds: number
  /** Before the first round: until the code is compiled and the caches are warm. */
  readonly warmUpMs: number
  readonly durationMs: number
  readonly connections: number
  /** For each algorithm. */
  readonly families: number
  /** With and without the flood, so many times each. */
  readonly floodRounds: number
  readonly floodMs: number
  /** Starts of each kind that is repeated. */
  readonly starts: number
  /** Time in which round trips and log bytes are counted. */
  readonly countingMs: number
}

export const fullPlan: Plan = {
  rounds: 7,
  warmUpMs: 8000,
  durationMs: 2500,
  connections: 32,
  families: 10_000,
  floodRounds: 5,
  floodMs: 6000,
  starts: 5,
  countingMs: 3000,
}

/** Under a minute: shows that everything works and that no ratio is far off. */
export const smokePlan: Plan = {
  rounds: 1,
  warmUpMs: 700,
  durationMs: 800,
  connections: 32,
  families: 2000,
  floodRounds: 1,
  floodMs: 2000,
  starts: 1,
  countingMs: 500,
}

/** Before each round but the first, for the new connections. */
export const settleMs = 200
