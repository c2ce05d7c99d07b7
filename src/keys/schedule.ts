import { addSeconds } from '../clock.ts'
import { type SigningAlgorithm, signingAlgorithms } from '../oauth/algorithm.ts'
import type { StoredMacKey } from './key-store.ts'
import {
  leadSeconds,
  planRotation,
  publicationSeconds,
  type RingKey,
  type RotationPlan,
  type RotationPolicy,
  stateOf,
} from './lifecycle.ts'
import { findNewestMacKey } from './mac-key-rotation.ts'
import { createRotationPolicy, type KeyTiming } from './rotation-policy.ts'

/** When the service rotates by itself. */
export type Schedule = {
  /** How long a key signs before the next one follows; 0: nothing rotates by itself. */
  readonly rotationSeconds: number
  readonly timing: KeyTiming
}

/** What becomes of a key by itself. */
export type NextStep = {
  readonly step: 'sign' | 'retire' | 'remove'
  /** null: only when somebody rotates. */
  readonly at: Date | null
}

/** The key of a ring that signs, or is about to, and goes on until it is replaced. */
const findLastingSigner = <K extends RingKey>(
  keys: readonly K[],
  algorithm: SigningAlgorithm,
): K | undefined =>
  keys.find((key) => key.algorithm === algorithm && key.signFrom !== null && key.signUntil === null)

const dueAt = (signer: RingKey | undefined, { rotationSeconds }: Schedule): Date | undefined =>
  rotationSeconds === 0 || !signer?.signFrom
    ? undefined
    : addSeconds(signer.signFrom, rotationSeconds)

/** What the schedule does to each ring whose time has come, or why it may not yet. */
export const planScheduled = (
  keys: readonly RingKey[],
  now: Date,
  policy: RotationPolicy,
  schedule: Schedule,
): RotationPlan[] =>
  signingAlgorithms
    .filter((algorithm) => {
      const due = dueAt(findLastingSigner(keys, algorithm), schedule)
      return due !== undefined && due <= now
    })
    .map((algorithm) => planRotation(keys, algorithm, now, policy))

/** Whether the schedule makes a new MAC key now. */
export const isMacKeyDue = (
  keys: readonly StoredMacKey[],
  now: Date,
  { rotationSeconds }: Schedule,
): boolean => {
  const newest = findNewestMacKey(keys)
  if (rotationSeconds === 0 || newest === undefined) return false
  return addSeconds(newest.useFrom, rotationSeconds) <= now
}

/** When the next key of a ring takes over by the schedule; undefined when it never does. */
export const nextRotationAt = (
  keys: readonly RingKey[],
  algorithm: SigningAlgorithm,
  schedule: Schedule,
): Date | undefined => {
  const due = dueAt(findLastingSigner(keys, algorithm), schedule)
  const next = keys.find((key) => key.algorithm === algorithm && key.signFrom === null)
  if (due === undefined || next === undefined) return undefined
  const policy = createRotationPolicy(0, schedule.timing)
  const safe = addSeconds(next.publishedAt, publicationSeconds(policy))
  return addSeconds(new Date(Math.max(Number(due), Number(safe))), leadSeconds(policy))
}

/** What becomes of a key next, and when. */
export const nextStepOf = (
  key: RingKey,
  keys: readonly RingKey[],
  now: Date,
  schedule: Schedule,
): NextStep => {
  const state = stateOf(key, now)
  const rotation = nextRotationAt(keys, key.algorithm, schedule) ?? null
  if (state === 'next') return { step: 'sign', at: key.signFrom ?? rotation }
  if (state === 'current') return { step: 'retire', at: key.signUntil ?? rotation }
  return { step: 'remove', at: key.dropAfter }
}
