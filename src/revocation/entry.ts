/**
 * What a revocation names: one access token (`jti`), a refresh-token family (`fam`), a login
 * session (`sid`), a user (`sub`), a client (`client`) or a signing key (`kid`).
 */
export type RevocationKind = 'jti' | 'fam' | 'sid' | 'sub' | 'client' | 'kid'

/** Idempotent: the same kind and value twice is one entry. Times are the database's. */
export type RevocationEntry = {
  readonly kind: RevocationKind
  readonly value: string
  readonly createdAt: Date
  /** Moves when the entry is prolonged or lifted. */
  readonly changedAt: Date
  readonly expiresAt: Date
  /** Taken back, as when a user is enabled again. */
  readonly lifted: boolean
}
