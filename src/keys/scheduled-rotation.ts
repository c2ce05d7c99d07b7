import type { SigningAlgorithm } from '../oauth/algorithm.ts'
import type { Sealer } from '../secrets/sealer.ts'
import { byTheService, ensureMacKey, ensureSigningKeys } from './first-keys.ts'
import type { MacKeyStore, SigningKeyStore } from './key-store.ts'
import { cannotOpen, type RotationPolicy } from './lifecycle.ts'
import { isMacKeyPutOff, rotateMacKey } from './mac-key-rotation.ts'
import { carryOut } from './ring-rotation.ts'
import { isMacKeyDue, planScheduled, type Schedule } from './schedule.ts'

/** What the schedule did, and what it would do if it were let. */
export type ScheduleReport = {
  readonly rotated: readonly (SigningAlgorithm | 'MAC')[]
  /** Due, but something has to be done first that time alone does not do. */
  readonly stuck: readonly { readonly ring: SigningAlgorithm | 'MAC'; readonly reason: string }[]
}

type Options = {
  readonly signingKeys: SigningKeyStore
  readonly macKeys: MacKeyStore
  readonly sealer: Sealer
  readonly rsaModulusBits: number
  readonly refreshTokenTtlSeconds: number
  readonly schedule: Schedule
}

/**
 * Gives the rings what they lack and rotates what is due and safe. Any node may do it at any time,
 * several at once too: the store lets each step happen once.
 */
export const runSchedule = async (
  options: Options,
  policy: RotationPolicy,
): Promise<ScheduleReport> => {
  const { signingKeys, macKeys, sealer, rsaModulusBits, schedule } = options
  await ensureSigningKeys(signingKeys, sealer, rsaModulusBits, schedule.timing)
  await ensureMacKey(macKeys, sealer)
  const outcomes = [...(await rotateDueRings(options, policy)), ...(await rotateDueMacKey(options))]
  return {
    rotated: outcomes.flatMap(({ ring, outcome }) => (outcome === 'rotated' ? [ring] : [])),
    stuck: outcomes.flatMap(({ ring, reason }) => (reason === undefined ? [] : [{ ring, reason }])),
  }
}

type RingOutcome = {
  readonly ring: SigningAlgorithm | 'MAC'
  readonly outcome: string
  readonly reason?: string
}

const rotateDueRings = async (options: Options, policy: RotationPolicy): Promise<RingOutcome[]> => {
  const { now, keys } = await options.signingKeys.list()
  const plans = planScheduled(keys, now, policy, options.schedule)
  const outcomes: RingOutcome[] = []
  for (const plan of plans) {
    const done = await carryOut(options, plan, policy, byTheService)
    outcomes.push({ ring: done.algorithm, outcome: done.outcome, ...whyStuck(done) })
  }
  return outcomes
}

const rotateDueMacKey = async (options: Options): Promise<RingOutcome[]> => {
  const { now, keys } = await options.macKeys.list()
  const { timing } = options.schedule
  // Made already, so it is not due; but what it was to follow goes on.
  if (isMacKeyPutOff(keys, now, timing)) {
    return [{ ring: 'MAC', outcome: 'refused', reason: cannotOpen }]
  }
  if (!isMacKeyDue(keys, now, options.schedule)) return []
  const done = await rotateMacKey({ ...options, timing }, byTheService)
  return [{ ring: 'MAC', outcome: done.outcome, ...whyStuck(done) }]
}

const whyStuck = (
  done: { outcome: string } | { outcome: 'refused'; reason: string; safeAt: Date | null },
): { reason?: string } => ('reason' in done && done.safeAt === null ? { reason: done.reason } : {})
