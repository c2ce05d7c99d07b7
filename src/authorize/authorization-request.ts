import type { AuthorizationDetail } from '../oauth/authorization-details.ts'
import type { ClaimsRequest } from '../oauth/claims-request.ts'
import type { ResponseMode } from '../oauth/response-mode.ts'
import type { Scope } from '../oauth/scope.ts'

/** What a client may demand of the user's presence (OpenID Connect Core §3.1.2.1). */
export const prompts = ['none', 'login', 'consent', 'select_account'] as const
export type Prompt = (typeof prompts)[number]

/**
 * An authorization request whose every member has been checked against its client: whatever way it
 * came (plain, pushed by RFC 9126, signed by RFC 9101), it is this from here on. Plain values, which
 * JSON keeps.
 */
export type AuthorizationRequest = {
  readonly clientId: string
  readonly responseMode: ResponseMode
  /** One of the client's own (RFC 9700 §4.1.3). */
  readonly redirectUri: string
  /** Whether the request named it: then the token request must name it too (RFC 6749 §4.1.3). */
  readonly redirectUriStated: boolean
  readonly state?: string
  readonly scope: Scope
  /** From `resource` (RFC 8707); absent: the client's own. */
  readonly audience?: readonly string[]
  /** S256 (RFC 7636 §4.3). */
  readonly codeChallenge?: string
  readonly nonce?: string
  readonly prompt: readonly Prompt[]
  /** Seconds. */
  readonly maxAge?: number
  readonly loginHint?: string
  /** Subject of the ID token that was given as a hint: nobody else may answer the request. */
  readonly hintedSubject?: string
  /** Wished for, in the order of preference. */
  readonly acrValues: readonly string[]
  readonly claims?: ClaimsRequest
  readonly uiLocales: readonly string[]
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  /** Thumbprint of the DPoP key that alone may redeem the code (RFC 9449 §10). */
  readonly dpopJkt?: string
}
