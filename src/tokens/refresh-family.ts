import { isSubset, type Scope } from '../oauth/scope.ts'

/** A family as read after the conditional update refused it. */
export type FamilyState = {
  readonly clientId: string
  readonly scope: Scope
  readonly audience: readonly string[]
  readonly confirmation: string | null
  readonly revoked: boolean
  readonly subjectActive: boolean
  /** The login session is live, or the family outlives it. */
  readonly sessionLive: boolean
  readonly expiresAt: Date
  readonly idleUntil: Date
  readonly generation: number
  readonly digest: Buffer
  readonly rotatedAt: Date | null
  readonly rotatedFrom: Buffer | null
  /** Time since `rotatedAt` in which the service could not answer, in milliseconds. */
  readonly outageMs: number
}

export type Presented = {
  readonly clientId: string
  readonly confirmation: string | null
  readonly generation: number
  /** Digest of the presented secret at its own generation. */
  readonly digest: Buffer
  /** Digest of the successor derived from the presented secret and the row's salt. */
  readonly successorDigest: Buffer | null
  /** Keyed digest of where the request comes from. */
  readonly from: Buffer
  /** Scope asked for; undefined: all of the family's. */
  readonly scope: Scope | undefined
  /** Audience asked for; undefined: all of the family's. */
  readonly audience: readonly string[] | undefined
}

export type RefreshPolicy = {
  /** Window in which a retry is answered again; 0 = strict. */
  readonly graceSeconds: number
  readonly retryElsewhere: 'allow' | 'refuse'
  readonly rotation: 'rotate' | 'static'
}

export type Verdict =
  | { readonly outcome: 'again' }
  | { readonly outcome: 'retried'; readonly elsewhere: boolean }
  | { readonly outcome: Refusal }

/** Why a refresh is refused. Publicly `wrong_client` and `wrong_confirmation` read as `unknown`. */
export type Refusal =
  | 'unknown'
  | 'wrong_client'
  | 'wrong_confirmation'
  | 'revoked'
  | 'subject_disabled'
  | 'expired_absolute'
  | 'expired_idle'
  | 'invalid_scope'
  | 'invalid_target'
  | 'retry_refused'
  | 'diverged'
  | 'reused'

/**
 * The decision about a refresh that the one conditional update refused: a pure, total function of
 * the row, what was presented, and the policy (RFC 9700 §4.14.2; OAuth 2.1 §4.3).
 * @param now the database's time.
 */
export const judge = (
  row: FamilyState | undefined,
  presented: Presented,
  policy: RefreshPolicy,
  now: Date,
): Verdict => {
  if (row === undefined) return { outcome: 'unknown' }
  const obstacle = findObstacle(row, presented, now)
  if (obstacle !== undefined) return { outcome: obstacle }
  const verdict = judgeGeneration(row, presented, policy, now)
  if (verdict.outcome !== 'again' && verdict.outcome !== 'retried') return verdict
  if (!isSubset(presented.scope ?? [], row.scope)) return { outcome: 'invalid_scope' }
  if (!isSubset(presented.audience ?? [], row.audience)) return { outcome: 'invalid_target' }
  return verdict
}

const judgeGeneration = (
  row: FamilyState,
  presented: Presented,
  policy: RefreshPolicy,
  now: Date,
): Verdict => {
  if (presented.generation > row.generation) return { outcome: 'diverged' }
  if (presented.generation === row.generation) {
    return { outcome: presented.digest.equals(row.digest) ? 'again' : 'diverged' }
  }
  if (policy.rotation === 'static') return { outcome: 'unknown' }
  return isRetry(row, presented, policy, now)
    ? judgeRetry(row, presented, policy)
    : { outcome: 'reused' }
}

const findObstacle = (row: FamilyState, presented: Presented, now: Date): Refusal | undefined => {
  if (row.clientId !== presented.clientId) return 'wrong_client'
  if (row.confirmation !== null && row.confirmation !== presented.confirmation) {
    return 'wrong_confirmation'
  }
  if (row.revoked) return 'revoked'
  if (!row.subjectActive) return 'subject_disabled'
  // Before the session: both reach their end at the same moment, and that is no revocation.
  if (row.expiresAt <= now) return 'expired_absolute'
  if (!row.sessionLive) return 'revoked'
  if (row.idleUntil <= now) return 'expired_idle'
  return undefined
}

// The successor recomputed from the presented secret is the row's current token: nobody has used
// it yet, and whoever presents its parent could compute it anyway.
const isRetry = (
  row: FamilyState,
  presented: Presented,
  policy: RefreshPolicy,
  now: Date,
): boolean => {
  if (policy.graceSeconds === 0) return false
  if (presented.generation !== row.generation - 1) return false
  if (presented.successorDigest === null || !presented.successorDigest.equals(row.digest))
    return false
  return row.confirmation !== null || isWithinWindow(row, policy, now)
}

/** The window is fixed at `rotatedAt` and never slides; outages do not count towards it. */
const isWithinWindow = (row: FamilyState, policy: RefreshPolicy, now: Date): boolean =>
  row.rotatedAt !== null &&
  now.getTime() - row.rotatedAt.getTime() - row.outageMs <= policy.graceSeconds * 1000

const judgeRetry = (row: FamilyState, presented: Presented, policy: RefreshPolicy): Verdict => {
  const elsewhere = row.rotatedFrom !== null && !row.rotatedFrom.equals(presented.from)
  return elsewhere && policy.retryElsewhere === 'refuse'
    ? { outcome: 'retry_refused' }
    : { outcome: 'retried', elsewhere }
}
