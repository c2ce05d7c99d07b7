import type { TObject } from 'typebox'
import type { Origin } from '../audit/event.ts'
import type { Client } from '../clients/client.ts'
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
  readonly origin: Origin
}

/**
 * What a grant gives: what it proved, for the issuer to make tokens of; or tokens, where they must
 * be made under the eyes of the family that they renew.
 */
export type GrantResult = { readonly authorization: Authorization } | { readonly tokens: TokenSet }

/** One way to get tokens (RFC 6749 §1.3). Knows neither HTTP nor keys. */
export type Grant = {
  readonly grantType: GrantType
  /** Its own parameters, all texts. */
  readonly parameters: TObject
  /** @throws {OAuthError} when what the client presents does not prove it. */
  authorize(request: GrantRequest, client: Client): Promise<GrantResult>
}
