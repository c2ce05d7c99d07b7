/** What is good once: DPoP proofs, client assertions, request objects. */
export type OneTimeKind = 'dpop' | 'client_assertion' | 'assertion' | 'request_object'

/** Ids that have been used, known to all nodes (design: storage). */
export type OneTimeIds = {
  /**
   * Uses an id. Call it last, after client and grant have passed, so that strangers cannot fill it.
   *
   * @param id whatever makes it unique, such as key, `jti` and `htu`; of any length
   * @param expiresAt from when on it would be refused anyway
   * @returns false when it was used before, here or on another node, or when nobody can know because
   *   the memory of it was lost since `issuedAt`.
   * @throws {Unavailable} when neither Redis nor the database answers.
   */
  use(kind: OneTimeKind, id: string, issuedAt: Date, expiresAt: Date): Promise<boolean>
}
