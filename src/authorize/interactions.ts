import type { Origin } from '../audit/event.ts'
import type { Client } from '../clients/client.ts'
import type { AuthorizationRequest } from './authorization-request.ts'
import type { AuthorizationResponse } from './authorization-response.ts'

/** A request that waits for its user: what the pages between request and answer know of it. */
export type Interaction = {
  /** Random; names the request in the addresses of the pages, and proves nothing by itself. */
  readonly id: string
  readonly request: AuthorizationRequest
  readonly client: Client
  /** The session that the user picked for it. */
  readonly sessionId: string | null
  readonly createdAt: Date
  readonly expiresAt: Date
}

/**
 * Requests that wait for their user. Each belongs to the browser that made it: for any other it does
 * not exist.
 */
export type Interactions = {
  /** @param browser secret of the browser's own cookie */
  find(id: string, browser: string): Promise<Interaction | undefined>
  /** The user picked one of the browser's sessions for this request. */
  choose(id: string, browser: string, sessionId: string): Promise<void>
  /** The user does not want it. @returns the answer to the client, `access_denied`; once. */
  deny(id: string, browser: string, origin?: Origin): Promise<AuthorizationResponse | undefined>
}
