import type { AlertRule } from './alert-rules.ts'

/** Events of one key that no alert has told of yet, within the time of their rule. */
export type Sighting = {
  readonly rule: string
  readonly key: string
  readonly count: number
}

export type EarlierAlert = {
  readonly rule: string
  readonly key: string
  readonly raisedAt: Date
}

/** An attacker who varies the key gets no more alerts of one rule than this in its quiet time. */
export const mostAlertsPerRule = 20

/**
 * Which sightings raise an alert: those that reach the threshold of their rule, whose key has been
 * quiet for long enough, the most frequent first while the rule has not had its most. Of what is
 * held back nothing is lost: it is seen again until its time is over.
 * @param earlier alerts of the longest quiet time of any rule
 */
export const decideAlerts = <S extends Sighting>(
  rules: readonly AlertRule[],
  sightings: readonly S[],
  earlier: readonly EarlierAlert[],
  now: Date,
): S[] =>
  rules.flatMap((rule) => {
    const quietFrom = now.getTime() - rule.quietSeconds * 1000
    const recent = earlier.filter(
      ({ rule: name, raisedAt }) => name === rule.name && raisedAt.getTime() > quietFrom,
    )
    const loud = new Set(recent.map(({ key }) => key))
    return sightings
      .filter(({ rule: name, key, count }) => isDue(rule, name, count) && !loud.has(key))
      .sort((one, other) => other.count - one.count || (one.key < other.key ? -1 : 1))
      .slice(0, Math.max(0, mostAlertsPerRule - recent.length))
  })

const isDue = (rule: AlertRule, name: string, count: number): boolean =>
  name === rule.name && count >= rule.threshold
