import { addSeconds } from '../clock.ts'
import { type SigningAlgorithm, signingAlgorithms } from '../oauth/algorithm.ts'

/** The stored times of a signing key; its state is derived from them and never stored. */
export type KeyTimes = {
  readonly publishedAt: Date
  /** null: waits to be promoted. */
  readonly signFrom: Date | null
  /** null: signs until it is replaced. */
  readonly signUntil: Date | null
  /** When nothing that it signed can be valid any more. */
  readonly dropAfter: Date | null
  /** When a node last said that it cannot open the key. */
  readonly objectedAt?: Date | null
}

export type RingKey = KeyTimes & { readonly keyId: string; readonly algorithm: SigningAlgorithm }

/**
 * `next`: published, does not sign yet. `current`: signs. `retired`: published until nothing that
 * it signed can be valid. `gone`: no longer published.
 */
export type KeyState = 'next' | 'current' | 'retired' | 'gone'

/** How long others may go without noticing a change of keys; seconds. */
export type RotationPolicy = {
  readonly longestTokenLifetimeSeconds: number
  /** However fast verifiers and nodes are, a key is published for so long before it signs. */
  readonly minimumPublicationSeconds: number
  /** `max-age` of the JWKS. */
  readonly maxAgeSeconds: number
  readonly staleWhileRevalidateSeconds: number
  /** Between two loads of the keys on a node of this service. */
  readonly nodeReloadSeconds: number
  /** By how much the clocks of verifiers may be wrong. */
  readonly skewSeconds: number
}

export type RotationPlan =
  | {
      readonly algorithm: SigningAlgorithm
      /** `planned` on a dry run, `rotated` once it is done. */
      readonly outcome: 'planned' | 'rotated'
      readonly retire: string
      readonly promote: string
      /** When `promote` takes over from `retire`: every node knows it by then. */
      readonly signFrom: Date
      readonly dropAfter: Date
    }
  | {
      readonly algorithm: SigningAlgorithm
      readonly outcome: 'refused'
      readonly reason: string
      /** When it becomes safe; null when only another act can make it so. */
      readonly safeAt: Date | null
    }

/** The intervals are half-open: at `signUntil` a key is retired and its successor signs. */
export const stateOf = (key: KeyTimes, now: Date): KeyState => {
  if (key.dropAfter !== null && key.dropAfter <= now) return 'gone'
  if (key.signUntil !== null && key.signUntil <= now) return 'retired'
  return key.signFrom !== null && key.signFrom <= now ? 'current' : 'next'
}

/** The key of a ring that signs now. */
export const findCurrent = <K extends RingKey>(
  keys: readonly K[],
  algorithm: SigningAlgorithm,
  now: Date,
): K | undefined =>
  keys
    .filter((key) => key.algorithm === algorithm && stateOf(key, now) === 'current')
    .sort((a, b) => Number(b.signFrom) - Number(a.signFrom))[0]

/** How long a key must have been published before it signs: each verifier has it by then. */
export const publicationSeconds = (policy: RotationPolicy): number =>
  Math.max(policy.minimumPublicationSeconds, propagationSeconds(policy))

/** How long a key stays published after its last signature. */
export const retentionSeconds = (policy: RotationPolicy): number =>
  policy.longestTokenLifetimeSeconds + propagationSeconds(policy)

/**
 * How long before it takes effect a change is stored. Each node has read it by then, so all change
 * over at one moment, and a retired key signs nowhere any more.
 */
export const leadSeconds = (policy: Pick<RotationPolicy, 'nodeReloadSeconds'>): number =>
  2 * policy.nodeReloadSeconds

/**
 * How long an objection stands: a node that cannot open a waiting key repeats it at each reload, so
 * a fresh one means that the node would have nothing to sign with.
 */
export const objectionSeconds = (policy: Pick<RotationPolicy, 'nodeReloadSeconds'>): number =>
  4 * policy.nodeReloadSeconds

/** How long a change of the published keys may be unknown to a verifier that caches them. */
export const propagationSeconds = (policy: RotationPolicy): number =>
  policy.maxAgeSeconds +
  policy.staleWhileRevalidateSeconds +
  policy.nodeReloadSeconds +
  policy.skewSeconds

export const cannotOpen =
  'a node cannot open the next key: give every node the newest key-encryption key'

/** What rotating one ring would do, or why and until when it may not. @param now the database's. */
export const planRotation = (
  keys: readonly RingKey[],
  algorithm: SigningAlgorithm,
  now: Date,
  policy: RotationPolicy,
): RotationPlan => {
  const refuse = (reason: string, safeAt: Date | null): RotationPlan => ({
    algorithm,
    outcome: 'refused',
    reason,
    safeAt,
  })
  const ring = keys.filter((key) => key.algorithm === algorithm)
  const current = findCurrent(ring, algorithm, now)
  const next = ring.find((key) => key.signFrom === null)
  if (next === undefined) {
    return refuse('no next key is published; the service publishes one when it starts', null)
  }
  if (current === undefined) {
    const first = ring.find((key) => key.signFrom !== null && key.signFrom > now)
    return refuse('its first key does not sign yet', first?.signFrom ?? null)
  }
  const safeAt = addSeconds(next.publishedAt, publicationSeconds(policy))
  if (safeAt > now) {
    return refuse('verifiers may not know the next key yet', safeAt)
  }
  if (next.objectedAt && addSeconds(next.objectedAt, objectionSeconds(policy)) > now) {
    return refuse(cannotOpen, null)
  }
  if (current.signUntil !== null) {
    return refuse('the last rotation has not taken effect yet', current.signUntil)
  }
  const signFrom = addSeconds(now, leadSeconds(policy))
  const dropAfter = addSeconds(signFrom, retentionSeconds(policy))
  const [retire, promote] = [current.keyId, next.keyId]
  return { algorithm, outcome: 'planned', retire, promote, signFrom, dropAfter }
}

export type MissingKey = { readonly algorithm: SigningAlgorithm; readonly role: 'signer' | 'next' }

/** What the rings lack: each algorithm needs a key that signs, or is about to, and a next one. */
export const findMissingKeys = (keys: readonly RingKey[]): MissingKey[] =>
  signingAlgorithms.flatMap((algorithm) => {
    const lasting = keys.filter((key) => key.algorithm === algorithm && key.signUntil === null)
    const missing: MissingKey[] = []
    if (!lasting.some((key) => key.signFrom !== null)) missing.push({ algorithm, role: 'signer' })
    if (!lasting.some((key) => key.signFrom === null)) missing.push({ algorithm, role: 'next' })
    return missing
  })
