import type { TObject } from 'typebox'
import type { Origin } from '../audit/event.ts'
import type { Client } from '../clients/client.ts'
import type { AuthorizationDetail } from '../oauth/authorization-details.ts'
import type { ClaimsRequest } from '../oauth/claims-request.ts'
import type { Confirmation } from '../oauth/confirmation.ts'
import type { GrantType } from '../oauth/grant-type.ts'
import type { Scope } from '../oauth/scope.ts'
import type { Authorization, TokenSet } from '../tokens/authorization.ts'

/** What the token endpoint has checked before a grant sees it. */
export type GrantRequest = {
  /** The grant's own parameters, those that it requires included. */
  readonly parameters: Readonly<Record<string, string>>
  /** Within the client's; undefined: none was asked for. */
  readonly scope: Scope | undefined
  /** From `resource`, within the client's, never empty; undefined: none was asked for. */
  readonly audience: readonly string[] | undefined
  /** Of types that the client may ask for, valid; undefined: none were asked for. */
  readonly authorizationDetails?: readonly AuthorizationDetail[] | undefined
  /** The key that the request has proved to hold; undefined: none. */
  readonly confirmation: Confirmation | undefined
  readonly origin: Origin
}

/** What a grant gives: what it proved, for the issuer to make tokens of. */
export type GrantResult = {
  readonly authorization: Authorization
  /** Where they must be made under the eyes of the family that they renew. */
  readonly tokens?: TokenSet
  /** Of a family that the grant has begun. */
  readonly refreshToken?: string
  /** What an ID token says because it was asked for; for scopes with `openid`. */
  readonly nonce?: string
  readonly claimsRequest?: ClaimsRequest
  /** Of the sign-in; an ID token names it also where the other tokens outlive it. */
  readonly sessionId?: string
  /** What kind of token it is, where an answer must tell (RFC 8693 §2.2.1). */
  readonly issuedTokenType?: string
}

/** One way to get tokens (RFC 6749 §1.3). Knows neither HTTP nor keys. */
export type Grant = {
  readonly grantType: GrantType
  /** Whether the parameter `audience` says as `resource` does whom the token is for (RFC 8693 §2.1). */
  readonly takesAudience?: true
  /** Its own parameters, all texts. */
  readonly parameters: TObject
  /** @throws {OAuthError} when what the client presents does not prove it. */
  authorize(request: GrantRequest, client: Client): Promise<GrantResult>
}
