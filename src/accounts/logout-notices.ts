/** That a session has ended, for one client that knew of it (OpenID Connect Back-Channel Logout). */
export type LogoutNotice = {
  readonly id: string
  readonly clientId: string
  readonly userId: string
  readonly sessionId: string
  /** From 1. */
  readonly attempt: number
}

/**
 * The notices that are still to be delivered: written in the transaction that ends the session, for
 * every client that the session was told to and that wants to hear of its end.
 */
export type LogoutNoticeStore = {
  /**
   * Takes the notice that is longest due, so that no other node does, and plans the next attempt in
   * case that this one fails.
   * @param delaysSeconds after the first attempt, the second and so on; none is made after the last
   * @param busyClients clients that are being told something already
   */
  claim(
    delaysSeconds: readonly number[],
    busyClients: readonly string[],
  ): Promise<LogoutNotice | undefined>
  /** There is nothing more to do about it. */
  settle(id: string): Promise<void>
}
