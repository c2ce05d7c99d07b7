import type { RecordedEvent } from '../audit/event.ts'
import type { Client } from './client.ts'
import type { NewClient } from './client-store.ts'

/** What becomes of the secrets of a client whose registration is replaced. */
export type SecretChange = 'keep' | 'drop' | { readonly digest: Buffer }

/** What the registration becomes; what it throws undoes all. */
export type Replacement = (present: Client) => {
  readonly client: Client
  readonly secrets: SecretChange
  readonly event: RecordedEvent
}

/**
 * Clients that register and manage themselves. All digests are of tokens of that client or of an
 * operator; each act and its audit event are one transaction.
 */
export type SelfRegistrationStore = {
  /** Whether an initial token would let somebody in now; that is decided when it is used. */
  isUsable(initialDigest: Buffer): Promise<boolean>
  /**
   * Creates the client, and uses the initial token once where there is one.
   * @param accessDigest of the token by which the client will manage itself
   * @returns `refused`: the token is used up, revoked or expired by now, and nothing was done
   */
  register(
    client: NewClient,
    accessDigest: Buffer,
    initialDigest: Buffer | undefined,
    event: RecordedEvent,
  ): Promise<'registered' | 'refused'>
  /** The client that has this management token, unless it is disabled. */
  find(id: string, accessDigest: Buffer): Promise<Client | undefined>
  /** @returns false when no enabled client has that id and that token */
  replace(id: string, accessDigest: Buffer, decide: Replacement): Promise<boolean>
  /**
   * Deletes the client with all that it was granted; its access tokens are refused by an entry.
   * @returns false when no enabled client has that id and that token
   */
  remove(id: string, accessDigest: Buffer, event: RecordedEvent): Promise<boolean>
}
