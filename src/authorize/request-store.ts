import type { RecordedEvent } from '../audit/event.ts'
import type { AuthorizationRequest } from './authorization-request.ts'

/** A request that is stored: pushed by its client, or waiting for its user. */
export type StoredRequest = {
  readonly id: string
  readonly request: AuthorizationRequest
  /** The session that the user picked for it. */
  readonly sessionId: string | null
  /** When its browser brought it. The database's time. */
  readonly createdAt: Date
  readonly expiresAt: Date
  /** The database's time of the statement. */
  readonly now: Date
}

/** Where an answer that is about to be given stands. */
export type Pending = { readonly id: string; readonly browserDigest: Buffer }

/** What one authorization gives its client: a code, of which only the digest is kept. */
export type NewCode = {
  readonly digest: Buffer
  readonly request: AuthorizationRequest
  readonly userId: string
  readonly sessionId: string
  readonly ttlSeconds: number
}

/**
 * `used`: the request has been answered, by another tab or node, or has expired. `login_ended`:
 * the session or its user has ended meanwhile; nothing was written.
 */
export type Completion = 'completed' | 'used' | 'login_ended'

/** Requests between their arrival and their one answer. All digests are of secrets. */
export type AuthorizationRequestStore = {
  now(): Promise<Date>
  /** Keeps what a client pushed (RFC 9126), for whichever browser brings the reference first. */
  push(request: AuthorizationRequest, referenceDigest: Buffer, ttlSeconds: number): Promise<void>
  /** @returns undefined unless it is the client's, is not used up and no other browser has it. */
  findPushed(
    clientId: string,
    referenceDigest: Buffer,
    browserDigest: Buffer,
  ): Promise<StoredRequest | undefined>
  /** Keeps a request for the browser that brought it. @returns its id. */
  keep(request: AuthorizationRequest, browserDigest: Buffer, ttlSeconds: number): Promise<string>
  /** The same for one that was pushed; the first browser counts. @returns whether it is this one. */
  claim(pending: Pending, ttlSeconds: number): Promise<boolean>
  find(pending: Pending): Promise<StoredRequest | undefined>
  choose(pending: Pending, sessionId: string): Promise<boolean>
  /** Uses the request up without a code. @returns false when it was used before. */
  close(pending: Pending, events: readonly RecordedEvent[]): Promise<boolean>
  /** Uses the request up, if it is stored, and keeps the code, all or nothing. */
  complete(
    pending: Pending | undefined,
    code: NewCode,
    events: readonly RecordedEvent[],
  ): Promise<Completion>
}
