import type { Act } from '../audit/act.ts'
import type { AuthorizationDetail } from '../oauth/authorization-details.ts'
import type { Scope } from '../oauth/scope.ts'

/** What a user has allowed a client, until it is taken back. */
export type Consent = {
  readonly userId: string
  readonly clientId: string
  readonly scope: Scope
  readonly audience: readonly string[]
  readonly authorizationDetails: readonly AuthorizationDetail[]
  /** The database's time of the last time that the user was asked and agreed. */
  readonly grantedAt: Date
}

export type ConsentStore = {
  find(userId: string, clientId: string): Promise<Consent | undefined>
  /** Adds to what was allowed before; audited in the same transaction. */
  grant(consent: Omit<Consent, 'grantedAt'>, act: Act): Promise<void>
  /** By the last time. */
  list(userId: string): Promise<Consent[]>
  /**
   * Takes it back: the client's families of this user end, with their access tokens.
   * @returns false when there was none.
   */
  revoke(userId: string, clientId: string, act: Act): Promise<boolean>
}
