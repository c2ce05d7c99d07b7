import type { AuthorizationDetail } from '../oauth/authorization-details.ts'
import type { ClaimsRequest } from '../oauth/claims-request.ts'
import type { Scope } from '../oauth/scope.ts'

/** A refresh-token family about to be stored, at generation 1. Times are the database's. */
export type NewFamily = {
  readonly id: string
  /** The login session; null only for families that never had one. */
  readonly sessionId: string | null
  readonly userId: string
  readonly clientId: string
  readonly scope: Scope
  readonly audience: readonly string[]
  /** When the person signed in; absent: at this moment. */
  readonly authTime?: Date
  readonly amr: readonly string[]
  readonly acr: string | null
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  readonly claimsRequest?: ClaimsRequest
  /** See oauth/confirmation.ts; null for families that are bound to no key. */
  readonly confirmation: string | null
  /** Outlives the login session (`offline_access`). */
  readonly offline: boolean
  /** Absolute lifetime, never extended. */
  readonly ttlSeconds: number
  readonly idleSeconds: number
  /** Digest of the first secret (see secrets/refresh-token.ts). */
  readonly digest: Buffer
}
