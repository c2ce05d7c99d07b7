import { addSeconds } from '../../src/clock.ts'
import {
  findCurrent,
  planRotation,
  type RingKey,
  type RotationPlan,
  type RotationPolicy,
  stateOf,
} from '../../src/keys/lifecycle.ts'
import { planScheduled, type Schedule } from '../../src/keys/schedule.ts'

const start = new Date('2026-11-20T12:00:00Z')
export const at = (seconds: number): Date => addSeconds(start, seconds)

const newKey = (keyId: string, publishedAt: Date, signFrom: Date | null): RingKey => ({
  ...{ keyId, algorithm: 'ES256', publishedAt, signFrom },
  ...{ signUntil: null, dropAfter: null },
})

/** What the database does with a plan; `undefined` when there is nothing to do. */
const apply = (
  keys: readonly RingKey[],
  plan: RotationPlan | undefined,
  now: Date,
): RingKey[] | undefined => {
  if (plan === undefined || plan.outcome === 'refused') return undefined
  const { retire, promote, signFrom, dropAfter } = plan
  const changed = keys.map((key): RingKey => {
    if (key.keyId === promote) return { ...key, signFrom }
    return key.keyId === retire ? { ...key, signUntil: signFrom, dropAfter } : key
  })
  const left = changed.filter((key) => stateOf(key, now) !== 'gone')
  return [...left, newKey(`key at ${now.toISOString()}`, now, null)]
}

export type Step = { readonly wait: number; readonly act: 'schedule' | 'command' | 'nothing' }

/** A ring through time, as the database has it and as nodes that read it late see it. */
export type History = {
  /** The ring at a moment, in seconds from the start. */
  ringAt(seconds: number): readonly RingKey[]
  /** What a node signs with at `seconds` whose keys were read `lag` seconds before. */
  signerAt(seconds: number, lag: number): RingKey | undefined
  /** Ids that a node publishes at `seconds` whose keys were read `lag` seconds before. */
  publishedAt(seconds: number, lag: number): string[]
  /** A moment at which a key began to sign; `share` chooses it, 0 to 1. */
  changeover(share: number): number
  /** Seconds from the start to the last step. */
  readonly end: number
}

const secondsToSign = ({ signFrom }: RingKey): number =>
  signFrom === null ? Number.POSITIVE_INFINITY : (Number(signFrom) - Number(start)) / 1000

/** Lets nodes act on one ring, at any times and in any order. */
export const simulate = (
  policy: RotationPolicy,
  schedule: Schedule,
  steps: readonly Step[],
): History => {
  let keys: readonly RingKey[] = [newKey('first', start, start), newKey('second', start, null)]
  let end = 0
  const versions = [{ since: 0, keys }]
  for (const { wait, act } of steps) {
    end += wait
    const now = at(end)
    const plans = {
      schedule: () => planScheduled(keys, now, policy, schedule)[0],
      command: () => planRotation(keys, 'ES256', now, policy),
      nothing: () => undefined,
    }
    const changed = apply(keys, plans[act](), now)
    if (changed === undefined) continue
    keys = changed
    versions.push({ since: end, keys })
  }
  const ringAt = (seconds: number): readonly RingKey[] =>
    versions.findLast(({ since }) => since <= seconds)?.keys ?? []
  return {
    ringAt,
    signerAt: (seconds, lag) =>
      findCurrent(ringAt(Math.max(0, seconds - lag)), 'ES256', at(seconds)),
    publishedAt: (seconds, lag) => {
      const readAt = Math.max(0, seconds - lag)
      const published = ringAt(readAt).filter((key) => stateOf(key, at(seconds)) !== 'gone')
      return published.map(({ keyId }) => keyId)
    },
    changeover: (share) => {
      const begun = new Set(versions.flatMap((version) => version.keys).map(secondsToSign))
      const moments = [...begun].filter((seconds) => seconds <= end)
      return moments[Math.floor(share * (moments.length - 1))] ?? 0
    },
    end,
  }
}
