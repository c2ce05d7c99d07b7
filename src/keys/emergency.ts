import { addSeconds } from '../clock.ts'
import type { SigningAlgorithm } from '../oauth/algorithm.ts'
import { propagationSeconds, type RingKey, type RotationPolicy, stateOf } from './lifecycle.ts'

/** Whom an act hurts, and until when; null: for good. */
export type Consequence = { readonly who: string; readonly until: Date | null }

export type EmergencyPlan =
  | {
      readonly outcome: 'planned' | 'done'
      /** Ids of the keys that are revoked. */
      readonly revoked: readonly string[]
      /** The published key that signs at once; null when none has to, or new ones do. */
      readonly promoted: string | null
      readonly consequences: readonly Consequence[]
    }
  | { readonly outcome: 'refused'; readonly reason: string }

const refuse = (reason: string): EmergencyPlan => ({ outcome: 'refused', reason })

/** What revoking one leaked key would do. @param now the database's. */
export const planPromotion = (
  keys: readonly RingKey[],
  { algorithm, revoke }: { readonly algorithm: SigningAlgorithm; readonly revoke: string },
  now: Date,
  policy: RotationPolicy,
): EmergencyPlan => {
  const key = keys.find(({ keyId }) => keyId === revoke)
  if (key === undefined) return refuse('no published key has this id')
  if (key.algorithm !== algorithm) return refuse(`the key is of ${key.algorithm}`)
  const isReplaced = key.signFrom !== null && stateOf(key, now) !== 'retired'
  const next = isReplaced ? firstInLine(keys, key, now) : undefined
  if (isReplaced && next === undefined) {
    return refuse('no next key is published yet; the service makes one within a minute')
  }
  const consequences = [
    ...(key.signFrom === null ? [] : [refusedTokens(now, policy)]),
    ...(next === undefined ? [] : unknownSigner(next, now, policy)),
  ]
  return { outcome: 'planned', revoked: [revoke], promoted: next?.keyId ?? null, consequences }
}

/** The key that signs once `key` is gone: one that signs or is about to, else the waiting one. */
const firstInLine = (keys: readonly RingKey[], key: RingKey, now: Date): RingKey | undefined =>
  keys
    .filter(({ algorithm, keyId }) => algorithm === key.algorithm && keyId !== key.keyId)
    .filter((other) => other.signUntil === null && stateOf(other, now) !== 'gone')
    .toSorted((a, b) => Number(b.signFrom ?? 0) - Number(a.signFrom ?? 0))[0]

/**
 * What replacing every key would do.
 * @param keptUntil when the last of the present refresh tokens ends; null: all are refused at once
 */
export const planReplacement = (
  keys: readonly RingKey[],
  keptUntil: Date | null,
  now: Date,
  policy: RotationPolicy,
): EmergencyPlan => ({
  outcome: 'planned',
  revoked: keys.map(({ keyId }) => keyId),
  promoted: null,
  consequences: [
    refusedTokens(now, policy),
    {
      who: 'Verifiers that have not read the new keys yet refuse new access tokens',
      until: addSeconds(now, propagationSeconds(policy)),
    },
    keptUntil === null
      ? { who: 'Everybody is signed out: all refresh tokens are refused', until: null }
      : {
          who: 'Whoever has the leaked MAC keys can still end sign-ins, though not use them',
          until: keptUntil,
        },
  ],
})

const refusedTokens = (now: Date, policy: RotationPolicy): Consequence => ({
  who: 'Access tokens of the revoked keys are refused: by this service within a second, by verifiers that cache the keys up to this moment; applications have to refresh',
  until: addSeconds(now, propagationSeconds(policy)),
})

const unknownSigner = (next: RingKey, now: Date, policy: RotationPolicy): Consequence[] => {
  const until = addSeconds(next.publishedAt, propagationSeconds(policy))
  if (until <= now) return []
  return [{ who: 'Verifiers that have not read the next key yet refuse new access tokens', until }]
}
