import type { RecordedEvent } from '../audit/event.ts'
import type { Client } from './client.ts'

/** A client as it is first stored; `created` and the rest are the store's. */
export type NewClient = Omit<Client, 'disabledAt' | 'createdAt' | 'secretDigests'> & {
  /** Digest of the first secret; null for public clients. */
  readonly secretDigest: Buffer | null
  /** The same secret, where the client makes signatures with it. */
  readonly sealedSecret?: Buffer
}

/** `unchanged`: it was so before. */
export type ChangeOutcome = 'changed' | 'unchanged' | 'built_in' | 'unknown'

/** undefined: nothing is to change. */
export type Decision = (
  present: Client,
) => { readonly client: Client; readonly event: RecordedEvent } | undefined

/** Each act and its audit event are one transaction. */
export type ClientStore = {
  /** With the secrets that have not expired. */
  find(id: string): Promise<Client | undefined>
  /** Oldest first. */
  list(): Promise<Client[]>
  /** The origins of all enabled clients, in no order. */
  listOrigins(): Promise<string[]>
  create(client: NewClient, event: RecordedEvent): Promise<'created' | 'taken'>
  /** Makes the built-in client what it is to be; harmless when several nodes start at once. */
  ensureBuiltIn(client: NewClient): Promise<void>
  /**
   * Writes what `decide` makes of the client, whose row is locked meanwhile.
   * @param decide returns the client as it is to be, and the event; what it throws undoes all
   */
  update(id: string, decide: Decision): Promise<ChangeOutcome>
  /**
   * Ends the client's families, and refuses its access tokens by a revocation entry that stands
   * while it is disabled.
   */
  disable(id: string, event: RecordedEvent): Promise<ChangeOutcome>
  /** Takes the entry back. Families that were ended stay so. */
  enable(id: string, event: RecordedEvent): Promise<ChangeOutcome>
  /**
   * Adds a secret.
   * @param overlapSeconds how long the earlier ones are still good
   * @returns `public`: the client has no secret to rotate
   */
  rotateSecret(
    id: string,
    digest: Buffer,
    overlapSeconds: number,
    event: RecordedEvent,
    sealed?: Buffer,
  ): Promise<'rotated' | 'public' | 'built_in' | 'unknown'>
}
